/**
 * What a plan of names costs: a generated list, planned by a process that does nothing else.
 *
 *     npm run build && node bench/plan-names.mjs [ROWS] [LAYOUT] [MIB] [--grow]
 *
 * Prints seconds, CPU-seconds and the peak of the resident memory; ends with 1 when that is above MIB (300).
 * V8 lets the space of young objects grow to 64 MiB, although nothing of a list lives long: that is turned off here, as a
 * program with such lists should do, and costs some 5 % of the time; `--grow` leaves it on (120 MiB more). JavaScript and not TypeScript, because stripping types takes 20 MiB that the program does not need.
 */
import { setFlagsFromString } from 'node:v8'
import { planNames } from '@arriero/transfer'

const [rows = 10_000_000, layout = 'original', limit = 300] = process.argv.slice(2).filter(word => word !== '--grow')
if (!process.argv.includes('--grow')) setFlagsFromString('--semi-space-growth-factor=1')

/** Spread over directories as exports of a commons are; one name in a thousand and one id in ten thousand stand twice. */
function entryOf(index) {
  const object = index % 10_000 === 9_999 ? index - 1 : index
  const id = `dg.4503/${digits(object * 2654435761, 8)}-ee2d-4f2c-8f1d-${digits(object, 12)}`
  const file = index % 1000 === 999 ? index - 1 : object
  return {
    index,
    line: index + 2,
    id,
    uris: [`drs://commons.example.org/${encodeURIComponent(id)}`],
    path: `study ${Math.floor(index / 20_000)}/sample_${file}.cram`,
    size: 1000 + object,
    checksums: [{ algorithm: 'md5', value: digits(object * 40503, 32) }],
  }
}

function digits(value, length) {
  return value.toString(16).padStart(length, '0').slice(-length)
}

const counts = { placed: 0, renamed: 0, duplicate: 0, unnamed: 0, skipped: 0, refused: 0 }
const begin = performance.now()
const plan = planNames({ layout })
for (let index = 0; index < rows; index++) {
  const placement = plan.place(entryOf(index))
  counts[placement.status]++
  if (placement.renamedFrom !== undefined) counts.renamed++
}
const seconds = (performance.now() - begin) / 1000
const { user, system } = process.cpuUsage()
const peak = process.resourceUsage().maxRSS / 1024
console.log(`${rows} rows, layout ${layout}: ${JSON.stringify(counts)}`)
console.log(
  `${seconds.toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} CPU-seconds, tables ${(plan.byteLength / 2 ** 20).toFixed(0)} MiB, peak ${peak.toFixed(0)} MiB of at most ${limit}`,
)
process.exitCode = peak <= limit ? 0 : 1
