// @ts-check
/**
 * Tabs by the pattern of the ARIA practices: arrows, Home and End move, one stop of the Tab key for all of them.
 * Without this script the same links jump to the same parts, which then stand below each other.
 *
 *   <div data-tabs> <nav data-tab-list> <a href="#basic">… </nav> <section id="basic" data-tab-panel>…
 */

/** @param {HTMLElement} group */
function attach(group) {
  const list = group.querySelector("[data-tab-list]");
  const links = [...(list?.querySelectorAll("a") ?? [])];
  const panels = links.map((link) => document.getElementById(link.hash.slice(1)));
  if (list === null || links.length === 0 || panels.includes(null)) {
    return;
  }

  /** @param {number} wanted */
  const select = (wanted) => {
    links.forEach((link, place) => {
      const isWanted = place === wanted;
      link.setAttribute("aria-selected", String(isWanted));
      link.tabIndex = isWanted ? 0 : -1;
      panels[place]?.toggleAttribute("hidden", !isWanted);
    });
  };

  list.setAttribute("role", "tablist");
  links.forEach((link, place) => {
    const panel = panels[place];
    link.id = `tab-${link.hash.slice(1)}`;
    link.setAttribute("role", "tab");
    link.setAttribute("aria-controls", link.hash.slice(1));
    panel?.setAttribute("role", "tabpanel");
    panel?.setAttribute("aria-labelledby", link.id);
    panel?.setAttribute("tabindex", "0");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      select(place);
      link.focus();
    });
    link.addEventListener("keydown", (event) => {
      const last = links.length - 1;
      /** @type {Record<string, number>} */
      const moves = {
        ArrowRight: place === last ? 0 : place + 1,
        ArrowLeft: place === 0 ? last : place - 1,
        Home: 0,
        End: last,
        " ": place,
      };
      if (event.key in moves) {
        event.preventDefault();
        select(moves[event.key]);
        links[moves[event.key]].focus();
      }
    });
  });
  select(Math.max(0, links.findIndex((link) => link.hash === location.hash)));
}

for (const group of document.querySelectorAll("[data-tabs]")) {
  if (group instanceof HTMLElement) {
    attach(group);
  }
}
