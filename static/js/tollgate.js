// The little that pages need beyond HTML: theme, search key, menus that close, copying numbers, forms that post once.
(function () {
  "use strict";
  var root = document.documentElement;

  function toggleTheme() {
    var next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    root.setAttribute("data-bs-theme", next);
    try { window.localStorage.setItem("theme", next); } catch (e) { /* private mode: the choice lasts for this page */ }
    document.dispatchEvent(new CustomEvent("tollgate:theme"));
  }

  function isTyping(target) {
    return target.closest("input, textarea, select, [contenteditable]") !== null;
  }

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-theme-toggle]")) { toggleTheme(); }
    document.querySelectorAll("details[data-menu][open]").forEach(function (menu) {
      if (!menu.contains(event.target)) { menu.open = false; }
    });
    var filler = event.target.closest("[data-fill-login]");
    if (filler) { fillLogin(filler); }
    var copier = event.target.closest("[data-copy-text]");
    if (copier && navigator.clipboard) { navigator.clipboard.writeText(copier.getAttribute("data-copy-text")); }
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      document.querySelectorAll("details[data-menu][open]").forEach(function (menu) { menu.open = false; });
    }
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) { return; }
    var box = document.querySelector("[data-search]");
    if (box) { event.preventDefault(); box.focus(); box.select(); }
  });

  // A number is shown as people write it; what is copied is E.164.
  document.addEventListener("copy", function (event) {
    var selection = document.getSelection();
    var node = selection && selection.anchorNode;
    var phone = node && (node.nodeType === 1 ? node : node.parentElement).closest(".tg-phone");
    if (phone && phone.contains(selection.focusNode) && event.clipboardData) {
      event.clipboardData.setData("text/plain", phone.getAttribute("data-copy"));
      event.preventDefault();
    }
  });

  // The server refuses a second time by the form's key; this spares the reader the question.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!form.matches("[data-once]")) { return; }
    if (form.getAttribute("data-sent")) { event.preventDefault(); return; }
    form.setAttribute("data-sent", "1");
    form.querySelectorAll("button[type=submit]").forEach(function (button) { button.classList.add("is-busy"); });
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("[data-sent]").forEach(function (form) {
      form.removeAttribute("data-sent");
      form.querySelectorAll(".is-busy").forEach(function (button) { button.classList.remove("is-busy"); });
    });
  });

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) { window.print(); }
  });

  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-tick-all]")) {
      event.target.closest("table").querySelectorAll("tbody input[type=checkbox]").forEach(function (box) { box.checked = event.target.checked; });
    }
    var form = event.target.closest("form[data-auto]");
    if (form) { form.requestSubmit(); }
  });

  function fillLogin(button) {
    var form = document.querySelector("form[data-login]");
    form.elements.login.value = button.getAttribute("data-fill-login");
    form.elements.password.value = button.getAttribute("data-password");
    form.requestSubmit();
  }
})();
