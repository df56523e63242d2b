/** The text of progress bars: pure, so that widths can be tested. */
import { displayWidth, pad, printable, shorten } from '../text.ts'
import { formatClock, formatSize } from '../units.ts'
import type { FileView, TotalView } from './measure.ts'

/** Narrower than this is not worth a bar. */
const leastBar = 8

/** `ocean-2026.nc      [#########-----------]  45%  1.20 / 2.67 GiB` within `width` columns. */
export function fileLine(file: FileView, width: number): string {
  const right = file.state === 'verifying' ? 'verifying' : file.state === 'publishing' ? 'saving' : sizes(file)
  return compose(printable(file.name), file.fraction, right, width)
}

/** `all 12/340 files   [####----------------]  21%  118 MiB/s  0:42` */
export function totalLine(total: TotalView, width: number): string {
  const { finished, listed, isListed, failed } = total.files
  const files = `${finished}/${listed}${isListed ? '' : '+'} files`
  const label = failed > 0 ? `${files}, ${failed} failed` : files
  return compose(label, total.fraction, speedAndTime(total), width)
}

/** For a single file: name and speed on one line. */
export function singleLine(file: FileView, total: TotalView, width: number): string {
  const right =
    file.state === 'verifying' || file.state === 'publishing'
      ? `${formatSize(file.size ?? file.landed)}  ${file.state === 'verifying' ? 'verifying' : 'saving'}`
      : `${formatSize(file.landed)}  ${speedAndTime(total)}`
  return compose(printable(file.name), file.fraction, right, width)
}

function sizes(file: FileView): string {
  if (file.size === undefined) return formatSize(file.landed)
  return `${formatSize(file.landed)} / ${formatSize(file.size)}`
}

function speedAndTime(total: TotalView): string {
  const eta = total.etaMs === undefined ? '--:--' : formatClock(total.etaMs)
  return `${formatSize(total.rate).padStart(8)}/s ${eta.padStart(7)}`
}

/** Name, bar, percentage and the rest; the bar gives way first, then the rest, then the name. */
function compose(name: string, fraction: number | undefined, right: string, width: number): string {
  // Some terminals wrap when the last column is filled, and all of them print `^C` behind the line.
  const room = Math.max(1, width - 3)
  const percent = fraction === undefined ? '  ?%' : `${String(Math.floor(fraction * 100)).padStart(3)}%`
  const tail = `${percent}  ${right}`
  const tailWidth = Math.max(34, displayWidth(tail))
  const nameWidth = Math.min(28, Math.max(10, Math.floor(room * 0.3)))
  const barWidth = room - nameWidth - tailWidth - 4
  if (barWidth >= leastBar) {
    const line = `${pad(shorten(name, nameWidth), nameWidth)} [${bar(fraction, Math.min(barWidth, 40))}] ${tail}`
    return shorten(line, room)
  }
  return shorten(`${pad(shorten(name, Math.max(6, room - displayWidth(tail) - 1)), 0)} ${tail}`, room)
}

function bar(fraction: number | undefined, width: number): string {
  if (fraction === undefined) return '·'.repeat(width)
  const full = Math.floor(fraction * width)
  return '#'.repeat(full) + '-'.repeat(width - full)
}
