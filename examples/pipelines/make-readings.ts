/** Makes a month of readings to try the manual's examples on: `npx node examples/pipelines/make-readings.ts readings` */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const directory = process.argv[2] ?? 'readings'
await mkdir(directory, { recursive: true })
for (let day = 1; day <= 30; day++) {
  const name = `2026-06-${String(day).padStart(2, '0')}.csv`
  const rows = Array.from({ length: 86_400 / 10 }, (_, n) => {
    const kelvin = 270 + 8 * Math.sin((n / 8640) * 2 * Math.PI) + day / 10
    return `${n * 10},${kelvin.toFixed(3)}`
  })
  // On the 13th the thermometer was being mended.
  if (day === 13) rows[4000] = '40000,broken'
  await writeFile(join(directory, name), `second,kelvin\n${rows.join('\n')}\n`)
}
console.log(`30 files in ${directory}`)
