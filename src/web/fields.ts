import { html, raw } from 'hono/html';
import { say } from '../words/say.ts';

export type Html = ReturnType<typeof html>;
export type Content = Html | string;
export type Problem = { field: string; text: string };
export type ButtonKind = 'main' | 'second' | 'danger' | 'link';

export const nothing: Html = raw('');

/** A name="value" attribute, or nothing at all when the value is undefined or false; true gives the bare name. */
export function attr(name: string, value: string | number | boolean | undefined): Html {
  if (value === undefined || value === false) return nothing;
  return value === true ? html` ${raw(name)}` : html` ${raw(name)}="${value}"`;
}

type FieldParts = { name: string; label?: string; hint?: Content | undefined; error?: string | undefined };

// The hint and the error stand before the field, so that neither is covered by a phone's keyboard or an autofill list.
function labelled(p: FieldParts, control: Html): Html {
  return html`<div class="field${p.error ? ' wrong' : ''}">
    ${p.label ? html`<label for="${p.name}">${p.label}</label>` : nothing}
    ${p.hint ? html`<p class="hint" id="${p.name}-hint">${p.hint}</p>` : nothing}
    ${p.error ? html`<p class="error" id="${p.name}-error">${p.error}</p>` : nothing} ${control}
  </div>`;
}

function described(p: FieldParts): Html {
  return html`${describedBy(p)}${attr('aria-invalid', p.error ? 'true' : undefined)}`;
}

function describedBy(p: FieldParts): Html {
  const ids = [p.error && `${p.name}-error`, p.hint && `${p.name}-hint`].filter(Boolean).join(' ');
  return attr('aria-describedby', ids || undefined);
}

export type Field = FieldParts & {
  label: string;
  value?: string | undefined;
  type?: 'text' | 'email' | 'tel' | 'search' | 'number' | 'url' | 'date';
  autocomplete?: string;
  inputmode?: 'text' | 'numeric' | 'email' | 'tel';
  autofocus?: boolean;
  readonly?: boolean;
  short?: boolean;
};

/** A line of text. Its id is its name, so that errors can link to it and password managers recognize it. */
export function field(p: Field): Html {
  const box = html`<input
    id="${p.name}"
    name="${p.name}"
    type="${p.type ?? 'text'}"
    ${attr('class', p.short && 'short')}${attr('value', p.value)}${attr('autocomplete', p.autocomplete)}${attr(
      'inputmode',
      p.inputmode,
    )}${attr('readonly', p.readonly)}${attr('autofocus', p.autofocus)}${spelling(p.type)}${described(p)}
  />`;
  return labelled(p, box);
}

function spelling(type: Field['type']): Html {
  return type === 'email' || type === 'url' ? raw(' autocapitalize="off" spellcheck="false" dir="ltr"') : nothing;
}

export type PasswordField = FieldParts & {
  label: string;
  autocomplete: 'current-password' | 'new-password';
  autofocus?: boolean;
};

/** A password, never filled in again by the server; the Show button stays hidden until script can work it. */
export function passwordField(p: PasswordField): Html {
  const box = html`<div class="reveal">
    <input
      id="${p.name}"
      name="${p.name}"
      type="password"
      autocomplete="${p.autocomplete}"
      autocapitalize="off"
      spellcheck="false"
      ${attr('autofocus', p.autofocus)}${described(p)}
    /><button
      type="button"
      hidden
      aria-controls="${p.name}"
      aria-label="${say('pw.show.name')}"
      data-reveal="${say('pw.hide')}|${say('pw.hide.name')}"
    >
      ${say('pw.show')}
    </button>
  </div>`;
  return labelled(p, box);
}

export type CodeField = {
  label?: string;
  hint?: Content | undefined;
  error?: string | undefined;
  autofocus?: boolean;
  autocomplete?: 'one-time-code' | 'off';
  backup?: boolean;
};

/**
 * The one box for a code. Without `label` the page's H1 is the label (`labelFor: 'code'`).
 * No maxlength and no pattern: spaces, dashes and other scripts' digits are the server's to understand.
 */
export function codeField(p: CodeField): Html {
  const parts = { ...p, name: 'code' };
  const box = html`<input
    id="code"
    name="code"
    type="text"
    class="code${p.backup ? ' backup' : ''}"
    dir="ltr"
    inputmode="numeric"
    autocomplete="${p.autocomplete ?? (p.backup ? 'off' : 'one-time-code')}"
    autocapitalize="off"
    spellcheck="false"
    enterkeyhint="done"
    ${attr('autofocus', p.autofocus)}${described(parts)}
  />`;
  return labelled(parts, box);
}

/** Several lines of text. */
export function textareaField(p: FieldParts & { label: string; value?: string | undefined; rows?: number }): Html {
  // HTML drops the first line break after the tag; this one is there for it, so that a leading blank line survives.
  const text = `\n${p.value ?? ''}`;
  const box = html`<textarea id="${p.name}" name="${p.name}" rows="${p.rows ?? 4}" ${described(p)}>${text}</textarea>`;
  return labelled(p, box);
}

export type Option = { value: string; label: string };

/** One of many. A choice that is a text stands for itself. */
export function selectField(
  p: FieldParts & { label: string; value?: string | undefined; choices: readonly (string | Option)[] },
): Html {
  const choices = p.choices
    .map((choice) => (typeof choice === 'string' ? { value: choice, label: choice } : choice))
    .map(({ value, label }) => html`<option value="${value}" ${attr('selected', value === p.value)}>${label}</option>`);
  return labelled(
    p,
    html`<select id="${p.name}" name="${p.name}" ${described(p)}>
      ${choices}
    </select>`,
  );
}

/** A file, which no server can fill in again. Its form is one with `file`. */
export function fileField(p: FieldParts & { label: string; accept: string }): Html {
  return labelled(p, html`<input id="${p.name}" name="${p.name}" type="file" accept="${p.accept}" ${described(p)} />`);
}

/** A colour to pick. `mirrors`: the id of the line of text that holds it too; script keeps the two alike. */
export function colourField(p: FieldParts & { label: string; value: string; mirrors: string }): Html {
  return labelled(
    p,
    html`<input
      id="${p.name}"
      name="${p.name}"
      type="color"
      value="${p.value}"
      data-mirrors="${p.mirrors}"
      ${described(p)}
    />`,
  );
}

type Choice = { value: string; label: Content; hint?: Content };

/** One choice of several. The first radio carries the group's name as its id, so that an error can link to it. */
export function radios(p: FieldParts & { label: string; value?: string | undefined; choices: Choice[] }): Html {
  const choices = p.choices.map((choice, at) => {
    const id = at === 0 ? p.name : `${p.name}-${choice.value}`;
    return tickable({ ...choice, type: 'radio', name: p.name, id, checked: choice.value === p.value });
  });
  return html`<fieldset class="field${p.error ? ' wrong' : ''}" ${describedBy(p)}>
    <legend>${p.label}</legend>
    ${p.hint ? html`<p class="hint" id="${p.name}-hint">${p.hint}</p>` : nothing}
    ${p.error ? html`<p class="error" id="${p.name}-error">${p.error}</p>` : nothing} ${choices}
  </fieldset>`;
}

type Checkbox = { name: string; label: Content; hint?: Content; checked?: boolean; error?: string | undefined };

/** A single yes or no. */
export function checkbox({ error, ...p }: Checkbox): Html {
  const box = tickable({ type: 'checkbox', id: p.name, value: 'on', wrong: error !== undefined, ...p });
  return error === undefined ? box : labelled({ name: p.name, error }, box);
}

type Tickable = Choice & { type: 'radio' | 'checkbox'; id: string; name: string; checked?: boolean; wrong?: boolean };

function tickable(p: Tickable): Html {
  const ids = [p.wrong && `${p.id}-error`, p.hint && `${p.id}-hint`].filter(Boolean).join(' ');
  return html`<div class="tick">
    <input
      type="${p.type}"
      id="${p.id}"
      name="${p.name}"
      value="${p.value}"
      ${attr('checked', p.checked)}${attr('aria-describedby', ids || undefined)}${attr('aria-invalid', p.wrong && 'true')}
    />
    <label for="${p.id}">${p.label}</label>
    ${p.hint ? html`<p class="hint" id="${p.id}-hint">${p.hint}</p>` : nothing}
  </div>`;
}

/** The box that stands first in the main part of a refused page. The layout renders it from its `errors`. */
export function errorSummary(problems: readonly Problem[]): Html {
  if (problems.length === 0) return nothing;
  const items = problems.map(
    (problem, at) => html`<li><a href="#${problem.field}" ${attr('autofocus', at === 0)}>${problem.text}</a></li>`,
  );
  return html`<div class="summary-box" role="alert" tabindex="-1" data-errors>
    <h2>${say('error.summary')}</h2>
    <ul>
      ${items}
    </ul>
  </div>`;
}

/** The text of the problem with one field, for its `error`. */
export function problemOf(problems: readonly Problem[], name: string): string | undefined {
  return problems.find((problem) => problem.field === name)?.text;
}

type ButtonParts = {
  kind?: ButtonKind;
  name?: string;
  value?: string | undefined;
  formaction?: string;
  /** Said in place of the label, which it begins with, where several buttons of a page have the same one. */
  named?: string | undefined;
};

/** A submit button. One `main` a page; `danger` on the final button of an act only. */
export function button(label: string, p: ButtonParts = {}): Html {
  return html`<button
    class="${p.kind ?? 'main'}"
    ${attr('name', p.name)}${attr('value', p.value)}${attr('formaction', p.formaction)}${attr('aria-label', p.named)}
  >
    ${label}
  </button>`;
}

/** A link that looks like a button: going somewhere, changing nothing. */
export function linkButton(label: string, href: string, kind: 'main' | 'second' = 'second'): Html {
  return html`<a class="button ${kind}" href="${href}">${label}</a>`;
}

export type FormParts = {
  busy?: string | undefined;
  said?: string | undefined;
  guard?: boolean;
  /** It has a field for a file. */
  file?: boolean;
  label?: string;
  id?: string;
};

/**
 * A form that posts. `busy`: the button's text while the answer is awaited. `said`: what the status line says on
 * submitting, for a form that answers with a file. `guard`: the browser asks before unsaved changes are left.
 */
export function form(action: string, body: Html | Html[], p: FormParts = {}): Html {
  return html`<form
    method="post"
    action="${action}"
    novalidate
    ${attr('enctype', p.file && 'multipart/form-data')}${attr('id', p.id)}${attr('aria-label', p.label)}${attr('data-busy', p.busy)}${attr('data-said', p.said)}${attr(
      'data-guard',
      p.guard && 'changes',
    )}
  >
    ${body}
  </form>`;
}

/** A row of buttons with the status line that script writes to. */
export function actions(...buttons: Html[]): Html {
  return html`<div class="actions" data-says>
    ${buttons}
    <p class="said" role="status"></p>
  </div>`;
}
