// Looks at the page as an accessibility checker does and returns what it finds, as texts.
(() => {
  const found = [];
  const say = (text) => found.push(text);
  const shown = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== "hidden";

  if (!document.documentElement.lang) say("the document has no language");
  if (!document.title.trim()) say("the document has no title");
  if (document.querySelectorAll("main").length !== 1) say("there is not exactly one main");
  const heads = [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].filter(shown);
  if (heads.filter((h) => h.tagName === "H1").length !== 1) say("there is not exactly one h1");
  let level = 0;
  for (const h of heads) {
    const n = Number(h.tagName[1]);
    if (n > level + 1) say(`a heading of level ${n} follows one of level ${level}: ${h.textContent}`);
    level = n;
  }
  for (const i of document.querySelectorAll("img,svg")) {
    if (!i.alt && !i.getAttribute("aria-label") && i.getAttribute("aria-hidden") !== "true" && i.getAttribute("role") !== "img" && i.alt !== "")
      say("a picture says neither what it shows nor that it is decoration");
  }
  for (const i of document.querySelectorAll("input:not([type=hidden]),select,textarea")) {
    if (!(i.labels && i.labels.length) && !i.getAttribute("aria-label")) say(`a field has no label: ${i.name}`);
  }
  for (const a of document.querySelectorAll("a,button")) {
    if (shown(a) && !a.textContent.trim() && !a.getAttribute("aria-label")) say("a link or button has no name");
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) say(`the page is wider than the window: ${document.documentElement.scrollWidth} > ${innerWidth}`);

  // Contrast of every text on the nearest background that is not see-through (WCAG 2.2, 1.4.3).
  const parse = (c) => (c.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const f = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches && getComputedStyle(document.documentElement).colorScheme.includes("dark") ? [18, 18, 18] : [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const e = n.parentElement;
    if (!n.textContent.trim() || !shown(e) || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(e.tagName)) continue;
    texts++;
    const s = getComputedStyle(e);
    const [a, b] = [light(parse(s.color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const big = parseFloat(s.fontSize) >= 24 || (parseFloat(s.fontSize) >= 18.66 && Number(s.fontWeight) >= 700);
    if (ratio < (big ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)}: ${n.textContent.trim().slice(0, 40)}`);
  }
  if (texts === 0) say("there is no text at all");

  // Whatever has the focus, by the keyboard, must show it.
  const held = document.activeElement;
  if (held && held !== document.body) {
    const s = getComputedStyle(held);
    if (s.outlineStyle === "none" && s.boxShadow === "none") say(`focus cannot be seen on: ${held.textContent.trim().slice(0, 40)}`);
  } else if (document.querySelector("main a, main button")) {
    say("the keyboard reaches nothing");
  }
  return found;
})()
