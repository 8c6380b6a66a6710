"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const report = JSON.parse($("data").textContent);
  for (const element of all(".js")) element.hidden = element.id === "none";

  // Colours: as the system, light, dark. What is kept may be forbidden to a file; then it is not kept.
  const themes = ["auto", "light", "dark"];
  const kept = (value) => {
    try {
      if (value === undefined) return localStorage.getItem("workwire-theme");
      localStorage.setItem("workwire-theme", value);
    } catch { /* as above */ }
    return null;
  };
  const paint = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    $("theme").querySelector("span").textContent = theme;
    $("theme").setAttribute("aria-label", `Colours: ${theme === "auto" ? "as the system" : theme}`);
  };
  let theme = themes.includes(kept()) ? kept() : "auto";
  paint(theme);
  $("theme").addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    paint(theme);
    kept(theme);
  });

  $("save").addEventListener("click", () => {
    const link = document.createElement("a");
    // As it stands in the page: a seed has more digits than numbers have here.
    link.href = URL.createObjectURL(new Blob([$("data").textContent, "\n"], { type: "application/json" }));
    link.download = "report.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });

  // Filters. Entries of one group are told by `data-verdict`, `data-area` and their text.
  const entries = all(".case, tr.entry");
  const texts = new Map();
  const text = (entry) => {
    if (!texts.has(entry)) {
      const told = entry.matches("details") ? all("summary, .texts, .diff, .reason", entry) : [entry];
      texts.set(entry, told.map((one) => one.textContent).join(" ").toLowerCase());
    }
    return texts.get(entry);
  };
  const filter = () => {
    const chips = all(".chip[aria-pressed=true]").map((chip) => chip.dataset.verdict);
    const area = $("area") ? $("area").value : "";
    const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const entry of entries) {
      const told = (entry.dataset.verdict || "").split(" ");
      const is = (!chips.length || chips.some((chip) => told.includes(chip)))
        && (!area || entry.dataset.area === area)
        && words.every((word) => text(entry).includes(word));
      entry.hidden = !is;
      if (is) shown += 1;
    }
    for (const heading of all("tr.area")) {
      heading.hidden = !entries.some((entry) => !entry.hidden && entry.dataset.area === heading.dataset.area);
    }
    $("shown").textContent = `${shown} of ${entries.length}`;
    $("none").hidden = shown > 0;
  };
  if ($("filters")) {
    $("filters").addEventListener("submit", (event) => event.preventDefault());
    for (const chip of all(".chip")) {
      chip.addEventListener("click", () => {
        chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
        filter();
      });
    }
    for (const id of ["area", "find"]) if ($(id)) $(id).addEventListener("input", filter);
    if ($("unfold")) {
      $("unfold").addEventListener("click", () => {
        const open = $("unfold").textContent === "Unfold all";
        for (const entry of entries) if (!entry.hidden) entry.open = open;
        $("unfold").textContent = open ? "Fold all" : "Unfold all";
      });
    }
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
        event.preventDefault();
        $("find").focus();
      }
    });
    filter();
  }

  // A case that a link names is unfolded, also where a filter had hidden it.
  const unfold = () => {
    let named = location.hash.slice(1);
    try { named = decodeURIComponent(named); } catch { /* as it stands */ }
    const at = named && $(named);
    if (!at || !at.matches("details.case")) return;
    at.hidden = false;
    at.open = true;
    at.scrollIntoView({ block: "start" });
  };
  window.addEventListener("hashchange", unfold);
  unfold();

  // Pictures: what an operation was, and which others speak of the same message.
  for (const figure of all(".picture")) {
    const of = report.cases.find((one) => one.id === figure.dataset.case);
    const operations = new Map((of && of.history ? of.history.operations : []).map((one) => [one.number, one]));
    const bars = all(".op", figure);
    const detail = figure.querySelector(".detail");
    let at = null;
    const line = (tag, content, parent) => {
      const element = document.createElement(tag);
      // What turns the direction of writing is shown instead.
      element.textContent = content.replace(/[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
        (mark) => `\\u{${mark.codePointAt(0).toString(16)}}`);
      parent.append(element);
      return element;
    };
    const show = (bar) => {
      if (at) at.classList.remove("at");
      at = bar;
      bar.classList.add("at");
      const messages = bar.dataset.m.split(" ").filter(Boolean);
      for (const other of bars) {
        const same = other !== bar && other.dataset.m.split(" ").some((message) => messages.includes(message));
        other.classList.toggle("same", same);
      }
      const operation = operations.get(Number(bar.dataset.n));
      detail.replaceChildren();
      detail.classList.add("used");
      line("p", bar.querySelector("title").textContent, detail);
      if (!operation) return;
      line("div", `asked ${JSON.stringify(operation.arguments)}`, detail);
      line("div", `came ${JSON.stringify(operation.outcome)}`, detail);
    };
    const first = bars.find((bar) => bar.classList.contains("offender")) || bars[0];
    if (first) first.setAttribute("tabindex", "0");
    for (const [place, bar] of bars.entries()) {
      bar.addEventListener("pointerenter", () => show(bar));
      bar.addEventListener("focus", () => show(bar));
      bar.addEventListener("click", () => bar.focus());
      bar.addEventListener("keydown", (event) => {
        const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: bars.length - 1 }[event.key];
        if (to === undefined || !bars[to]) return;
        event.preventDefault();
        bar.setAttribute("tabindex", "-1");
        bars[to].setAttribute("tabindex", "0");
        bars[to].focus();
        bars[to].scrollIntoView({ block: "nearest", inline: "nearest" });
      });
    }
    // The first that shows what is wrong is what one wants to see.
    const scroll = figure.querySelector(".scroll");
    const reveal = () => {
      if (first && !scroll.dataset.seen && scroll.clientWidth) {
        scroll.dataset.seen = "yes";
        const x = Number(first.querySelector("rect").getAttribute("x"));
        if (x > scroll.clientWidth - 80) scroll.scrollLeft = x - scroll.clientWidth / 2;
      }
    };
    reveal();
    const folded = figure.closest("details");
    if (folded) folded.addEventListener("toggle", reveal);
  }
})();
