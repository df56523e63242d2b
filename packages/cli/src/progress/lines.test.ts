import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { displayWidth } from '../text.ts'
import { fileLine, singleLine, totalLine } from './lines.ts'
import type { FileView, TotalView } from './measure.ts'

const file: FileView = {
  id: 0,
  name: 'ocean-temperature-2026-11-20-level-2-reprocessed.nc',
  state: 'fetching',
  landed: 1.2e9,
  size: 2.67e9,
  fraction: 0.45,
}
const total: TotalView = {
  landed: 1.2e9,
  size: 2.67e9,
  fraction: 0.45,
  rate: 118e6,
  etaMs: 42_000,
  files: { finished: 12, failed: 0, listed: 340, isListed: true },
  connections: 8,
}

describe('progress lines', () => {
  test('fit 80 columns with a bar, a percentage, sizes, a rate and the time left', () => {
    expect(fileLine(file, 80)).toMatch(/^ocean-\S*…\S+ +\[#+-+\] {2}45% {2}1\.12 GiB \/ 2\.49 GiB$/)
    expect(totalLine(total, 80)).toMatch(/^12\/340 files +\[#+-+\] {2}45% .*113 MiB\/s +0:42$/)
    expect(singleLine(file, total, 80)).toMatch(/45% {2}1\.12 GiB .*113 MiB\/s +0:42$/)
  })

  test('never fill the last column, at any width, with any name', () => {
    const name = fc.string({ unit: 'binary' })
    const fraction = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined })
    const bytes = fc.nat(2 ** 31)
    const etaMs = fc.option(fc.double({ min: 0, max: 1e15, noNaN: true }), { nil: undefined })
    fc.assert(
      fc.property(
        name,
        fraction,
        bytes,
        etaMs,
        fc.integer({ min: 2, max: 300 }),
        (name, fraction, bytes, etaMs, width) => {
          const view = { ...file, name, fraction, landed: bytes, size: bytes * 2 }
          const whole = { ...total, fraction, landed: bytes, rate: bytes, etaMs }
          for (const line of [fileLine(view, width), totalLine(whole, width), singleLine(view, whole, width)]) {
            expect(displayWidth(line)).toBeLessThan(width)
            expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
          }
        },
      ),
    )
  })

  test('say that a file is being verified instead of 100 %', () => {
    const line = fileLine({ ...file, state: 'verifying', fraction: 0.99 }, 80)
    expect(line).toContain('verifying')
    expect(line).not.toContain('100%')
  })

  test('name the failed ones', () => {
    expect(totalLine({ ...total, files: { ...total.files, failed: 3 } }, 80)).toContain('3 failed')
  })
})
