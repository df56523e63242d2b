/** What stands on a terminal as SVG, with the colours of the terminal. */
import { columns } from './play-scene.ts'
import type { Span } from './terminal-screen.ts'

const [charWidth, lineHeight, margin] = [8.4, 20, 18]
/** By SGR number. */
const colours: Record<number, string> = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341', 36: '#79c0ff' }

/** @param title for those who do not see it */
export function drawScreen(lines: readonly (readonly Span[])[], title: string): string {
  const width = Math.ceil(columns * charWidth + 2 * margin)
  const height = lines.length * lineHeight + 2 * margin
  const texts = lines.flatMap(drawLine)
  // A panel of its own colour, so that it reads the same on a light page and on a dark one.
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#e6edf3">
<title>${title}</title>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="#161b22" stroke="#6e7681"/>
${texts.join('\n')}
</svg>
`
}

function drawLine(line: readonly Span[], row: number): string[] {
  let column = 0
  return line.map(({ text, colour, isDim }) => {
    const [x, y] = [margin + column * charWidth, margin + row * lineHeight + 14]
    column += [...text].length
    const fill = colour === undefined ? '' : ` fill="${colours[colour] ?? '#e6edf3'}"`
    const opacity = isDim ? ' opacity="0.65"' : ''
    const length = ([...text].length * charWidth).toFixed(1)
    return `<text x="${x.toFixed(1)}" y="${y}" textLength="${length}"${fill}${opacity}>${escaped(text)}</text>`
  })
}

/** Several spaces side by side stay several: browsers no longer heed `xml:space`. */
function escaped(text: string): string {
  const bare = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return bare.replaceAll(' ', '\u00a0')
}
