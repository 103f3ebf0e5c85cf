"use strict";
// The language is the browser's own matter: both stand on the page. "/" leads to the search.
document.addEventListener("click", (event) => {
  const chosen = event.target.closest?.("[data-language]")?.dataset.language;
  if (!chosen) return;
  document.documentElement.className = chosen;
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
  document.cookie = `ringfence_language=${chosen}; path=/; max-age=31536000; samesite=lax`;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const field = document.getElementById("number");
  if (!field) return;
  event.preventDefault();
  field.focus();
});
