"use strict";
(() => {
  const chinese = document.getElementById("zh");
  const english = document.getElementById("en");
  const tell = () => { document.documentElement.lang = chinese.checked ? "zh-Hans" : "en"; };
  if ((navigator.language || "").toLowerCase().startsWith("zh")) chinese.checked = true;
  chinese.addEventListener("change", tell);
  english.addEventListener("change", tell);
  tell();
})();
