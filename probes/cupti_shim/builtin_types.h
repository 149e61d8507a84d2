// In place of the CUDA runtime's header of this name, which wants a third package: CUPTI's callback
// header includes it and uses nothing of it.
