// gpuwhy: what a script adds to a page that can be read without one: a choice of theme, copying, a choice of findings.
"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const reveal = (element) => { element.hidden = false; };

  // Theme: as the system has it, light, dark. Remembered where the browser lets a file remember.
  const themes = ["system", "light", "dark"];
  const theme = document.getElementById("theme");
  const show = (name) => {
    if (name === "system") delete root.dataset.theme; else root.dataset.theme = name;
    theme.textContent = `Theme: ${name}`;
    document.dispatchEvent(new Event("themechange"));
  };
  let chosen = "system";
  try { chosen = localStorage.getItem("gpuwhy-theme") ?? chosen; } catch { /* a browser that keeps nothing */ }
  if (!themes.includes(chosen)) chosen = "system";
  show(chosen);
  reveal(theme);
  theme.addEventListener("click", () => {
    chosen = themes[(themes.indexOf(chosen) + 1) % themes.length];
    show(chosen);
    try { localStorage.setItem("gpuwhy-theme", chosen); } catch { /* the same */ }
  });

  // Copying. A page opened as a file may lack the clipboard; then the lines are selected.
  const lines = (block) => all("pre code", block).map((each) => each.textContent).join("\n");
  const copy = async (button, text, block) => {
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(block.querySelector("pre") ?? block);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = before; }, 1500);
  };
  for (const button of all(".copy")) {
    reveal(button);
    button.addEventListener("click", () => copy(button, lines(button.parentElement), button.parentElement));
  }
  for (const button of all(".copy-all")) {
    reveal(button);
    const causes = button.parentElement.previousElementSibling;
    button.addEventListener("click", () => copy(button, lines(causes), causes));
  }

  // What was seen at a gate goes away with Escape, until the pointer or the focus moves on.
  for (const route of all(".route")) {
    for (const happening of ["pointerover", "focusin"]) {
      route.addEventListener(happening, () => route.classList.remove("quieted"));
    }
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const route of all(".route")) route.classList.add("quieted");
  });

  // Findings by severity.
  for (const choice of all(".choice")) {
    reveal(choice);
    choice.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      for (const each of all(".finding")) if (each.dataset.severity === button.dataset.severity) each.hidden = !on;
      for (const file of all(".file")) file.hidden = !file.querySelector(".finding:not([hidden])");
    });
  }

  // Paper has no folds.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    for (const each of folded) each.open = true;
  });
  addEventListener("afterprint", () => { for (const each of folded) each.open = false; });
})();
