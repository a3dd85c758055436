// Live calls move: clocks tick each second here; figures come from the server every two, while somebody looks.
(function () {
  "use strict";
  var EVERY_MS = 2000;
  var ahead = 0; // by how many seconds this machine's clock is before the server's

  function learn() {
    var region = document.querySelector("[data-moment]");
    if (region) { ahead = (Date.now() - Date.parse(region.getAttribute("data-moment"))) / 1000; }
  }

  function clock(seconds) {
    var whole = Math.max(0, Math.floor(seconds));
    var hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60, rest = whole % 60;
    var tail = (rest < 10 ? "0" : "") + rest;
    return hours ? hours + ":" + (minutes < 10 ? "0" : "") + minutes + ":" + tail : minutes + ":" + tail;
  }

  function tick() {
    var now = Date.now() / 1000 - ahead;
    document.querySelectorAll("[data-tick-up], [data-tick-down]").forEach(function (element) {
      var down = element.hasAttribute("data-tick-down");
      var began = Date.parse(element.getAttribute(down ? "data-tick-down" : "data-tick-up")) / 1000;
      var most = Number(element.getAttribute("data-most"));
      var lasted = Math.min(Math.max(0, now - began), most);
      var text = clock(down ? Math.ceil(most - lasted) : lasted);
      if (element.textContent !== text) { element.textContent = text; }
    });
  }

  function ask() {
    if (document.hidden || !window.htmx) { return; }
    document.querySelectorAll("[data-live]").forEach(function (region) { window.htmx.trigger(region, "tollgate:live"); });
  }

  function lost(isLost) {
    document.querySelectorAll("[data-live-lost]").forEach(function (note) { note.hidden = !isLost; });
  }

  document.addEventListener("htmx:afterSettle", function () { learn(); lost(false); tick(); });
  document.addEventListener("htmx:sendError", function () { lost(true); });
  document.addEventListener("htmx:responseError", function () { lost(true); });
  document.addEventListener("visibilitychange", ask);
  learn();
  tick();
  window.setInterval(tick, 500);
  window.setInterval(ask, EVERY_MS);
})();
