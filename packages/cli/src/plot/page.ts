/** A drawing as an HTML page that needs nothing from elsewhere; values are shown where the pointer is. */
import { hoverScript } from './hover-script.ts'
import type { Drawing } from './sheet.ts'
import { escapeXml } from './svg-document.ts'

/** What the page shows of the moment under the pointer. All charts of the drawing share the axis. */
export interface Hover {
  /** px of the drawing: the area where the pointer counts, and where the line is drawn. */
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
  /** Values of the axis at `left` and `right`. */
  readonly from: number
  readonly to: number
  /** Where there are values, ascending, in the axis's unit. */
  readonly at: readonly number[]
  /** How each of these places is called. */
  readonly names: readonly string[]
  readonly series: readonly { readonly label: string; readonly texts: readonly string[] }[]
}

/** @param hover without it, only what the drawing's own `title` elements tell is shown */
export function htmlPage({ title, width, svg }: Drawing, hover?: Hover): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeXml(title)}</title>
<style>
body { margin: 0 auto; max-width: ${width}px; background: #fff; color: #000; font: 13px/1.4 sans-serif }
figure { position: relative; margin: 0 }
svg { display: block; width: 100%; height: auto }
#values { position: absolute; margin: 0; padding: 6px 9px; background: #fff; border: 1px solid #333; pointer-events: none;
  display: grid; grid-template-columns: auto auto; gap: 0 10px; white-space: nowrap; font-variant-numeric: tabular-nums }
#values[hidden] { display: none }
#values b { grid-column: 1 / 3 }
#values span:nth-of-type(even) { text-align: right }
@media print { #values { display: none } }
</style>
</head>
<body>
<figure tabindex="0" aria-label="${escapeXml(title)}">
${svg}
<div id="values" role="status" hidden></div>
</figure>
${hover ? `<script>const hover = ${asScript(hover)}\n${hoverScript}</script>\n` : ''}</body>
</html>
`
}

/** JSON that cannot end the script it stands in. */
function asScript(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
