// Comfort only: every page does its work without this file.

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function say(near, text) {
  const line = near.closest('[data-says]')?.querySelector('[role=status]');
  // Emptied first, so that the same words are announced a second time too.
  if (line) {
    line.textContent = '';
    setTimeout(() => (line.textContent = text), 50);
  }
}

const unsaved = { codes: document.querySelector('[data-guard=codes]') !== null, changes: false, leaving: false };

function copyButtons() {
  for (const button of all('[data-copy]')) {
    const label = button.textContent;
    const { copy, done, copied, problem, select } = button.dataset;
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(copy);
        button.textContent = done;
        setTimeout(() => (button.textContent = label), 4000);
        say(button, copied);
        if (button.closest('[data-guard=codes]')) unsaved.codes = false;
      } catch {
        const target = select && document.getElementById(select);
        if (target) getSelection().selectAllChildren(target);
        say(button, problem);
      }
    });
  }
}

function printButtons() {
  for (const button of all('[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => print());
  }
  addEventListener('afterprint', () => (unsaved.codes = false));
}

function showPassword() {
  for (const button of all('[data-reveal]')) {
    const input = document.getElementById(button.getAttribute('aria-controls'));
    const off = [button.textContent, button.ariaLabel];
    const on = button.dataset.reveal.split('|');
    const turn = (shown) => {
      input.type = shown ? 'text' : 'password';
      [button.textContent, button.ariaLabel] = shown ? on : off;
    };
    button.hidden = false;
    button.addEventListener('click', () => turn(input.type === 'password'));
    // Hidden again before sending, or the browser would remember the password as ordinary text.
    input.form?.addEventListener('submit', () => turn(false));
  }
}

function busyForms() {
  const busy = new Map();
  addEventListener('submit', (event) => {
    const { target, submitter } = event;
    const { busy: text, said } = target.dataset;
    if (said) {
      say(target, said);
      if (target.closest('[data-guard=codes]')) unsaved.codes = false;
    } else unsaved.leaving = true;
    const button = submitter ?? target.querySelector('button:not([type=button])');
    if (!text || !button || busy.has(button)) return;
    busy.set(button, button.textContent);
    button.textContent = text;
    button.setAttribute('aria-disabled', 'true');
  });
  // Back brings a page out of the browser's memory as it was left.
  addEventListener('pageshow', () => {
    unsaved.leaving = false;
    for (const [button, text] of busy) {
      button.textContent = text;
      button.removeAttribute('aria-disabled');
    }
    busy.clear();
  });
}

function guards() {
  for (const form of all('form[data-guard=changes]')) form.addEventListener('input', () => (unsaved.changes = true));
  addEventListener('beforeunload', (event) => {
    if (!unsaved.leaving && (unsaved.changes || unsaved.codes)) event.preventDefault();
  });
}

function menus() {
  for (const details of all('details.menu')) {
    const summary = details.querySelector('summary');
    const list = details.querySelector('ul');
    const button = document.createElement('button');
    const box = document.createElement('div');
    box.className = 'menu';
    button.type = 'button';
    button.ariaLabel = summary.ariaLabel;
    button.ariaHasPopup = 'menu';
    button.ariaExpanded = 'false';
    button.append(...summary.childNodes);
    list.role = 'menu';
    list.popover = 'auto';
    const items = all('a, button, .off', list);
    for (const element of all('li, form', list)) element.role = 'none';
    for (const item of items) {
      item.role = 'menuitem';
      if (item.matches('.off')) item.ariaDisabled = 'true';
      item.tabIndex = -1;
    }
    box.append(button, list);
    details.replaceWith(box);
    menuKeys(button, list, items);
  }
}

function menuKeys(button, list, items) {
  let first = 0;
  const place = () => {
    // A popover lies above everything, so that a scrolling table cannot cut it off; hence it is placed by hand.
    const { top, bottom, left, right } = button.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const rtl = getComputedStyle(list).direction === 'rtl';
    const room = { start: rtl ? width - right : left, end: rtl ? left : width - right };
    const [near, far] = room.start < room.end ? ['start', 'end'] : ['end', 'start'];
    const above = bottom + list.offsetHeight > innerHeight && top > list.offsetHeight;
    list.style.setProperty(`inset-inline-${far}`, 'auto');
    list.style.setProperty(
      `inset-inline-${near}`,
      `${Math.max(8, Math.min(room[near], width - list.offsetWidth - 8))}px`,
    );
    list.style.setProperty('inset-block-start', `${above ? top - list.offsetHeight - 4 : bottom + 4}px`);
  };
  button.popoverTargetElement = list;
  button.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    first = event.key === 'ArrowDown' ? 0 : -1;
    list.showPopover();
  });
  list.addEventListener('toggle', (event) => {
    const opened = event.newState === 'open';
    button.ariaExpanded = String(opened);
    if (!opened) return;
    place();
    items.at(first).focus();
    first = 0;
  });
  list.addEventListener('keydown', (event) => {
    const at = items.indexOf(document.activeElement);
    const letter = event.key.length === 1 && event.key.toLowerCase();
    const order = [...items.slice(at + 1), ...items.slice(0, at + 1)];
    const next =
      {
        ArrowDown: items[(at + 1) % items.length],
        ArrowUp: items.at(at - 1),
        Home: items[0],
        End: items.at(-1),
      }[event.key] ??
      (letter && order.find((item) => item.textContent.trim().toLowerCase().startsWith(letter)));
    if (event.key === ' ' && items[at]) items[at].click();
    if (event.key === 'Tab') list.hidePopover();
    if (event.key === 'Escape') {
      list.hidePopover();
      button.focus();
    }
    if (next || event.key === ' ' || event.key === 'Escape') event.preventDefault();
    if (next) next.focus();
  });
  const follow = () => list.matches(':popover-open') && place();
  addEventListener('scroll', follow, { capture: true, passive: true });
  addEventListener('resize', follow);
}

function disclosures() {
  if (matchMedia('(pointer: coarse)').matches) for (const details of all('[data-touch]')) details.open = true;
  for (const details of all('details.help')) {
    const close = () => (details.open = false);
    details.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !details.open) return;
      close();
      details.querySelector('summary').focus();
    });
    addEventListener('click', (event) => details.contains(event.target) || close());
  }
}

// A job's bar follows the work; what is said aloud follows each tenth of it. At the end the page shows what came of it.
function watchJobs() {
  const bar = document.querySelector('[data-progress]');
  if (!bar) return;
  const words = document.getElementById(bar.getAttribute('aria-describedby'));
  let told = bar.value / bar.max;
  const look = async () => {
    try {
      const answer = await fetch(bar.dataset.progress);
      if (answer.redirected || !answer.ok) return location.reload();
      const job = await answer.json();
      if (job.ended) return location.reload();
      bar.max = job.total;
      bar.value = job.done;
      words.textContent = job.words;
      if (job.done / job.total - told >= 0.1) {
        told = job.done / job.total;
        say(bar, job.words);
      }
    } catch {
      // The server is not to be had just now; the next look may find it.
    }
    return setTimeout(look, 2000);
  };
  setTimeout(look, 1000);
}

// A file may also be dropped anywhere in the frame around its field.
function drops() {
  for (const frame of all('[data-drop]')) {
    const input = document.getElementById(frame.dataset.drop);
    const over = (event, isOver) => {
      event.preventDefault();
      frame.classList.toggle('over', isOver);
    };
    const words = document.createElement('p');
    words.className = 'hint';
    words.textContent = frame.dataset.says;
    frame.append(words);
    frame.classList.add('drop');
    frame.addEventListener('dragover', (event) => over(event, true));
    frame.addEventListener('dragleave', (event) => over(event, false));
    frame.addEventListener('drop', (event) => {
      over(event, false);
      if (event.dataTransfer.files.length === 1) input.files = event.dataTransfer.files;
    });
  }
}

// Marked rows of a list: what can be done with them shows once there are some, and says how many.
function markedRows() {
  const form = document.getElementById('many');
  if (!form) return;
  const boxes = all('[data-many]');
  const status = form.querySelector('[role=status]');
  const everybody = form.elements.all;
  const clear = form.querySelector('[data-clear]');
  const show = () => {
    const marked = boxes.filter((box) => box.checked).length;
    const text = marked > 0 ? status.dataset.words.replace('%', marked) : '';
    form.classList.toggle('none', marked === 0 && !everybody.checked);
    if (status.textContent !== text) status.textContent = text;
  };
  clear.hidden = false;
  clear.addEventListener('click', () => {
    for (const box of [...boxes, everybody]) box.checked = false;
    show();
    boxes[0]?.focus();
  });
  for (const box of [...boxes, everybody]) box.addEventListener('change', show);
  addEventListener('pageshow', show);
  show();
}

function mirrors() {
  for (const picker of all('[data-mirrors]')) {
    const line = document.getElementById(picker.dataset.mirrors);
    picker.addEventListener('input', () => (line.value = picker.value));
    line.addEventListener('input', () => {
      if (/^#[0-9a-f]{6}$/i.test(line.value)) picker.value = line.value;
    });
  }
}

drops();
copyButtons();
printButtons();
showPassword();
busyForms();
guards();
menus();
markedRows();
disclosures();
watchJobs();
mirrors();
document.querySelector('[data-errors]')?.focus();
