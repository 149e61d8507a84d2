#ifndef GPUWHY_CUPTI_SEARCH_H
#define GPUWHY_CUPTI_SEARCH_H

// A handle of dlopen(), or NULL. Not to be called by two threads at once.
void* find_cupti(void);

#endif
