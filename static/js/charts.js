// Draws each [data-chart] from the JSON beside it. Words and numbers come ready from the server; here are only shapes.
(function () {
  "use strict";

  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

  function base() {
    return {
      animation: false,
      textStyle: { fontFamily: colour("--tblr-font-sans-serif") || "system-ui", color: colour("--tg-ink-2"), fontSize: 12 },
      grid: { left: 8, right: 28, top: 28, bottom: 4, containLabel: true },
      tooltip: {
        renderMode: "richText", backgroundColor: colour("--tg-sheet"), borderColor: colour("--tg-line"),
        textStyle: { color: colour("--tg-ink") }
      }
    };
  }

  function shades() { return [colour("--tg-accent"), colour("--tg-quiet-bar"), colour("--tg-ink-2")]; }

  function bars(data) {
    var options = base(), colours = shades();
    options.legend = data.series.length > 1 ? { top: 0, left: 0, itemWidth: 10, itemHeight: 10, textStyle: { color: colour("--tg-ink-2") } } : undefined;
    options.xAxis = { type: "category", data: data.labels, axisTick: { show: false }, axisLine: { lineStyle: { color: colour("--tg-line") } }, axisLabel: { color: colour("--tg-ink-2"), hideOverlap: true } };
    options.yAxis = { type: "value", scale: data.from_zero === false, splitLine: { lineStyle: { color: colour("--tg-line") } }, axisLabel: { color: colour("--tg-ink-2") }, splitNumber: 3 };
    options.series = data.series.map(function (one, index) {
      return {
        type: data.shape === "line" ? "line" : "bar", name: one.name, barMaxWidth: 36, barGap: "10%", showSymbol: false, lineStyle: { width: 2 },
        itemStyle: { color: colours[index % colours.length], borderRadius: data.shape === "line" ? 0 : [2, 2, 0, 0] },
        data: one.values.map(function (value, at) {
          var last = at === one.values.length - 1;
          return { value: value, words: one.words[at], label: { show: last && index === data.series.length - 1, position: "top", color: colour("--tg-ink"), formatter: one.words[at] } };
        })
      };
    });
    options.tooltip.formatter = function (hit) { return hit.name + "  " + hit.seriesName + ": " + hit.data.words; };
    return options;
  }

  function sankey(data) {
    var options = base(), accent = colour("--tg-accent");
    options.series = [{
      type: "sankey", left: 4, right: 120, top: 8, bottom: 8, nodeWidth: 10, nodeAlign: "left", nodeGap: 10, draggable: false, emphasis: { focus: "adjacency" },
      data: data.nodes.map(function (node) { return { name: node.id, words: node.words, itemStyle: { color: accent, borderWidth: 0 } }; }),
      links: data.links, lineStyle: { color: accent, opacity: 0.22, curveness: 0.5 },
      label: { color: colour("--tg-ink"), fontSize: 12, formatter: function (hit) { return hit.data.words; } }
    }];
    options.tooltip.formatter = function (hit) { return hit.data.words; };
    return options;
  }

  var draw = { bars: bars, line: bars, sankey: sankey };

  function drawAll() {
    document.querySelectorAll("[data-chart]").forEach(function (place) {
      var data = JSON.parse(document.getElementById(place.getAttribute("data-chart")).textContent);
      var chart = window.echarts.getInstanceByDom(place) || window.echarts.init(place, null, { renderer: "canvas" });
      chart.setOption(draw[data.shape](data), true);
    });
  }

  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("tollgate:theme", drawAll);
  window.addEventListener("resize", function () {
    document.querySelectorAll("[data-chart]").forEach(function (place) {
      var chart = window.echarts.getInstanceByDom(place);
      if (chart) { chart.resize(); }
    });
  });
})();
