"use strict";
(function () {
  var last = "";
  function put(name, text) {
    var e = document.querySelector('[data-live="' + name + '"]');
    if (e && e.textContent !== text) e.textContent = text;
  }
  function show(v) {
    var g = v.gate;
    put("label", v.label);
    put("for", v.for);
    put("store", v.store);
    put("expect", v.expect);
    put("state", g.state || "nothing");
    put("held", v.gateFor ? "for " + v.gateFor : "");
    put("cause", g.trouble || "Cause: " + g.cause + (g.recovering ? ". Sign-ins come back at a rising rate." : ""));
    document.getElementById("store").dataset.fault = v.fault;
    document.getElementById("gate").dataset.state = g.state;
    document.querySelectorAll("button[name=fault]").forEach(function (b) {
      b.setAttribute("aria-pressed", String(b.value === v.fault));
    });
    var words = "The store is " + v.label + ". Gatehouse sees " + (g.state || "nothing") + ".";
    if (last && words !== last) document.getElementById("spoken").textContent = words;
    last = words;
  }
  function ask() {
    fetch("/view.json").then(function (r) { return r.json(); }).then(show, function () {
      put("cause", "The demo has stopped.");
    }).finally(function () { setTimeout(ask, 500); });
  }
  ask();
})();
