// Copyright: (c) 2026, The lunworks.iscsi authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Details on a click, search, light and dark. Texts of hosts are only ever set as text, never as markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const details = document.getElementById("details");
  const search = document.getElementById("search");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (name, text, style) => {
    const made = document.createElement(name);
    made.textContent = text || "";
    if (style) made.className = style;
    return made;
  };
  const thingAt = (at) => {
    const [view, thing] = at.split(".").map(Number);
    return [data.views[view], data.views[view].things[thing]];
  };

  const close = () => {
    details.hidden = true;
    all(".open").forEach((one) => one.classList.remove("open"));
  };

  const table = (facts) => {
    const made = make("table");
    const head = make("tr");
    ["", ...(data.looked ? ["Wanted", "Found"] : ["Wanted"])].forEach((text) => head.append(make("th", text)));
    made.append(head);
    facts.forEach(([name, wanted, found, differs]) => {
      const row = make("tr", "", differs ? "differs" : "");
      row.append(make("th", name), make("td", wanted || "\u2013"));
      if (data.looked) row.append(make("td", found || "\u2013"));
      made.append(row);
    });
    return made;
  };

  const open = (at) => {
    close();
    const [view, thing] = thingAt(at);
    const button = make("button", "\u00d7");
    button.setAttribute("aria-label", "Close");
    button.addEventListener("click", close);
    details.replaceChildren(button, make("h3", thing.name), make("p", `${thing.kind} on ${view.host}`));
    thing.faults.forEach((text) => details.append(make("p", text, "why")));
    details.append(table(thing.facts));
    details.hidden = false;
    details.scrollTop = 0;
    all(`.thing[data-at="${at}"]`).forEach((one) => one.classList.add("open"));
  };

  const shown = (at) => {
    if (document.body.classList.contains("many")) location.hash = `v${at.split(".")[0]}`;
    const there = all(`.thing[data-at="${at}"]`).find((one) => one.getClientRects().length);
    if (there) there.scrollIntoView({ block: "center" });
  };

  const chosen = (event) => {
    const one = event.target.closest("[data-at]");
    if (!one) return;
    if (one.closest("#faults")) shown(one.dataset.at);
    open(one.dataset.at);
    event.preventDefault();
  };

  const words = data.views.map((view) => view.things.map((thing) =>
    [view.host, thing.kind, thing.name, thing.note, ...thing.facts.flat()].join(" ").toLowerCase()));

  const find = () => {
    const asked = search.value.trim().toLowerCase();
    const hits = words.map((view) => view.map((text) => text.includes(asked)));
    all(".thing").forEach((one) => {
      const [view, thing] = one.dataset.at.split(".").map(Number);
      one.classList.toggle("dim", asked !== "" && !hits[view][thing]);
    });
    all("[data-view]").forEach((one) => {
      const view = Number(one.dataset.view);
      const named = data.views[view].host.toLowerCase().includes(asked);
      one.hidden = asked !== "" && !named && !hits[view].some(Boolean);
    });
    all("#faults li").forEach((one) => { one.hidden = !one.textContent.toLowerCase().includes(asked); });
  };

  const dark = () => {
    const set = document.documentElement.dataset.theme;
    return set ? set === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };

  document.addEventListener("click", chosen);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "/" && document.activeElement !== search) { search.focus(); event.preventDefault(); }
    else if ((event.key === "Enter" || event.key === " ") && event.target.matches("[data-at]")) chosen(event);
  });
  search.addEventListener("input", find);
  document.getElementById("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
  });
})();
