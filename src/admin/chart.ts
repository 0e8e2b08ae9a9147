import { scaleBand, scaleLinear } from 'd3-scale';
import { html } from 'hono/html';
import { attr, nothing, type Html } from '../web/components.ts';

/** A bar of two parts: the lower one full, the one on it hatched. Without parts there is nothing to show but its label. */
export interface Bar {
  readonly label: string;
  readonly parts: readonly [full: number, hatched: number] | undefined;
  /** What is printed above it, and the unit, for which narrow screens have no room. */
  readonly value: string;
  readonly unit: string;
}

export interface BarChart {
  readonly id: string;
  /** The finding, for those who do not see the bars; `description` is what the bars say one by one. */
  readonly title: string;
  readonly description: string;
  readonly legend: readonly [full: string, hatched: string];
  readonly bars: readonly Bar[];
  /** Of the time axis: with `rtl` the newest bar stands at the left. */
  readonly direction?: 'ltr' | 'rtl';
}

// Across in hundredths of the width, down in pixels: so the bars follow the page and the letters keep their size, and
// with its height fixed nothing moves when it appears.
const HEIGHT = 264;
const TOP = 28;
const BOTTOM = 232;
const LABELS_AT = 254;
const MARGIN = 9;
const COMPACT = new Intl.NumberFormat('en-GB', { notation: 'compact' });
/** On a narrow screen every so many bars has its label, counted from the newest. */
const NARROW_EVERY = 4;

/** Bars over time as an image that is text: no script, no inline style, colours by the page's own classes. */
export function barChart({ id, title, description, legend, bars, direction = 'ltr' }: BarChart): Html {
  const across = scaleBand<number>()
    .domain(bars.keys())
    .range(direction === 'rtl' ? [100 - MARGIN, 0] : [MARGIN, 100])
    .paddingInner(0.36)
    .paddingOuter(0.18);
  const highest = Math.max(1, ...bars.map(({ parts }) => (parts ? parts[0] + parts[1] : 0)));
  const up = scaleLinear().domain([0, highest]).range([BOTTOM, TOP]).nice(4);
  const width = across.bandwidth();
  return html`<figure class="chart">
    <figcaption class="legend">
      <span>${swatch(id, 'full')} ${legend[0]}</span> <span>${swatch(id, 'hatched')} ${legend[1]}</span>
    </figcaption>
    <svg role="img" aria-labelledby="${id}-title ${id}-desc" width="100%" height="${HEIGHT}">
      <title id="${id}-title">${title}</title>
      <desc id="${id}-desc">${description}</desc>
      <defs>
        <pattern id="${id}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect class="paper" width="6" height="6" />
          <path class="hatch" d="M0 0V6" stroke-width="3" />
        </pattern>
      </defs>
      ${up
        .ticks(4)
        .filter(Number.isInteger)
        .map((tick) => line(tick, up(tick), direction))}
      ${bars.map((bar, at) => column(bar, { left: across(at) ?? 0, width, up, id, minor: (bars.length - 1 - at) % NARROW_EVERY > 0 }))}
    </svg>
  </figure>`;
}

interface Place {
  readonly left: number;
  readonly width: number;
  readonly up: (value: number) => number;
  readonly id: string;
  readonly minor: boolean;
}

function column({ label, parts, value, unit }: Bar, { left, width, up, id, minor }: Place): Html {
  const middle = `${rounded(left + width / 2)}%`;
  const below = html`<text class="${minor ? 'minor' : 'label'}" x="${middle}" y="${LABELS_AT}" text-anchor="middle"
    >${label}</text
  >`;
  if (!parts) return html`<text class="label" x="${middle}" y="${BOTTOM - 8}" text-anchor="middle">–</text>${below}`;
  const [full, hatched] = parts;
  const rect = (from: number, to: number, kind: string, fill?: string): Html =>
    to === from
      ? nothing
      : html`<rect
          class="${kind}"
          x="${rounded(left)}%"
          width="${rounded(width)}%"
          y="${rounded(up(to))}"
          height="${rounded(up(from) - up(to))}"
          ${attr('fill', fill)}
          data-value="${to - from}"
        />`;
  return html`${rect(full, full + hatched, 'hatched', `url(#${id}-hatch)`)} ${rect(0, full, 'full')}
    <text class="value" x="${middle}" y="${rounded(up(full + hatched) - 8)}" text-anchor="middle"
      >${value}<tspan class="unit">${unit}</tspan></text
    >${below}`;
}

function line(value: number, y: number, direction: 'ltr' | 'rtl'): Html {
  const [from, to, at] = direction === 'rtl' ? ['0', `${100 - MARGIN}%`, '100%'] : [`${MARGIN}%`, '100%', '0'];
  return html`<line
      class="${value === 0 ? 'base' : 'grid'}"
      x1="${from}"
      x2="${to}"
      y1="${rounded(y)}"
      y2="${rounded(y)}"
    />
    <text class="label" x="${at}" y="${rounded(y + 4)}">${compact(value)}</text>`;
}

function swatch(id: string, kind: 'full' | 'hatched'): Html {
  return html`<svg class="swatch" width="16" height="16" aria-hidden="true" focusable="false">
    <rect
      class="${kind}"
      x="0.5"
      y="0.5"
      width="15"
      height="15"
      ${attr('fill', kind === 'hatched' && `url(#${id}-hatch)`)}
    />
  </svg>`;
}

/** A share of the width, 0 to 1, beside the number that says it: seen only. */
export function shareBar(share: number): Html {
  return html`<svg class="share" width="100%" height="12" aria-hidden="true" focusable="false">
    <rect class="track" width="100%" height="12" />
    <rect class="full" width="${rounded(share * 100)}%" height="12" />
  </svg>`;
}

function compact(value: number): string {
  return COMPACT.format(value);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
