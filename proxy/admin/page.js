(() => {
  'use strict';
  const live = document.getElementById('live');
  const vital = document.getElementById('vital');
  const lost = document.getElementById('lost');
  document.getElementById('pace').textContent = ' · live';
  let heard = new Date();

  // Make one node what another one is, and touch nothing that is the same already: what a person has selected, opened or
  // reached by keyboard stays, and a screen reader hears only what changed.
  const become = (now, next) => {
    if (now.nodeType !== next.nodeType || now.nodeName !== next.nodeName) {
      now.replaceWith(document.importNode(next, true));
      return;
    }
    if (now.nodeType !== Node.ELEMENT_NODE) {
      if (now.nodeValue !== next.nodeValue) now.nodeValue = next.nodeValue;
      return;
    }
    if (now.hasAttribute('data-keep') || now.isEqualNode(next)) return;
    for (const { name } of [...now.attributes]) {
      if (!next.hasAttribute(name) && name !== 'open') now.removeAttribute(name);
    }
    for (const { name, value } of [...next.attributes]) {
      if (now.getAttribute(name) !== value) now.setAttribute(name, value);
    }
    const have = [...now.childNodes];
    const want = [...next.childNodes];
    want.forEach((child, i) => {
      if (have[i]) become(have[i], child);
      else now.append(document.importNode(child, true));
    });
    have.slice(want.length).forEach((child) => child.remove());
  };

  const fresh = async () => {
    const answer = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(4000) });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (!next.getElementById('live')) throw new Error('it answered something else');
    document.title = next.title;
    become(vital, next.getElementById('vital'));
    become(live, next.getElementById('live'));
  };

  const turn = async () => {
    try {
      await fresh();
      heard = new Date();
      lost.hidden = true;
      document.body.classList.remove('stale');
    } catch (error) {
      if (lost.hidden) {
        lost.textContent = `Gatehouse's admin listener cannot be reached (${error.message}). What is below is from ${heard.toISOString().slice(11, 19)} UTC.`;
        lost.hidden = false;
        document.body.classList.add('stale');
      }
    }
    setTimeout(turn, document.hidden ? 10000 : 1000);
  };
  setTimeout(turn, 1000);

  // Every form is sent from here, so that the page stays; without a script the browser sends it.
  document.addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = event.target;
    const button = form.querySelector('button');
    const output = form.querySelector('output');
    const body = new URLSearchParams(new FormData(form));
    button.disabled = true;
    output.className = '';
    output.textContent = 'Asking…';
    try {
      const answer = await fetch(form.action, { method: 'POST', body, headers: { Accept: 'text/plain' }, signal: AbortSignal.timeout(30000) });
      output.className = answer.ok ? 'good' : 'bad';
      output.textContent = (await answer.text()).trim();
      if (answer.ok) await fresh().catch(() => {}); // the next turn tells what is wrong
    } catch (error) {
      output.className = 'bad';
      output.textContent = `No answer: ${error.message}`;
    }
    button.disabled = false;
    // What ended an override is gone with it: whoever reached it by keyboard goes on from where it was.
    (button.isConnected ? button : live).focus();
  });
})();
