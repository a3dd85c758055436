// Runs before the first paint, so that a dark page never flashes white. The choice stays in this browser.
(function () {
  "use strict";
  var stored = null;
  try { stored = window.localStorage.getItem("theme"); } catch (e) { stored = null; }
  var dark = window.matchMedia && window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-bs-theme", stored === "dark" || (stored !== "light" && dark) ? "dark" : "light");
})();
