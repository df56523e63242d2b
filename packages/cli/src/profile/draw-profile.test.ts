import { metricsOf, parseProfileTime, phasesOf, type Sample, units } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { sampleAt } from '../../test/samples.ts'
import { htmlPage } from '../plot/page.ts'
import { drawProfile } from './draw-profile.ts'
import type { SeriesKind } from './series-kinds.ts'

const door = { metricsOf, parseProfileTime, phasesOf, units }

/** As we record them. */
function own(n: number, more: Partial<Sample> = {}): Sample {
  const ours = { conns: n % 5, goodput: 0.7, wip_bytes: 4e6, hash_backlog: 0, proc_cpu: 60, loop_busy: 40 }
  return sampleAt((n + 1) * 100, { per_cpu: [40, 60], retries: n > 3 ? 1 : 0, hedges: 0, ...ours, ...more })
}

function draw(samples: readonly Sample[], series: SeriesKind = 'default', width?: number) {
  return drawProfile(samples as [Sample, ...Sample[]], door, { title: '/data/run.profile', series, width })
}

const titles = ['CPU', 'Memory of the program', 'Network of the machine', 'Goodput', 'Connections in use']
const times = (count: number) => Array.from({ length: count }, (_, n) => own(n))

test('CPU, memory, network, goodput and connections over one axis, with phases and retries marked', async () => {
  const mark = (name: string, ms: number) => ({ name, at: new Date(ms).toISOString() })
  const samples = times(10)
  samples[0] = own(0, { marks: [mark('prepare', 0)] })
  samples[5] = own(5, { marks: [mark('fetch <all>', 530)] })
  const { drawing, hover } = await draw(samples)
  for (const title of titles) expect(drawing.svg).toContain(`>${title}`)
  expect(drawing.svg).toContain('fetch &lt;all&gt;')
  expect(drawing.svg).toContain('Phases: prepare 0.53 s, fetch &lt;all&gt; 0.47 s')
  expect(drawing.svg).toContain('× retry')
  expect(drawing.svg).not.toContain('△ hedge')
  expect(hover.at).toHaveLength(10)
  expect(hover.names[9]).toBe('0.9 s to 1.0 s, fetch <all>')
  expect(hover.series.find(({ label }) => label === 'CPU: machine')!.texts[0]).toBe('50 %')
  expect(htmlPage(drawing, hover)).not.toContain('fetch <all>')
})

test.each(['default', 'retriever', 'all'] as const)(
  'one sample, or a reference profile, can be drawn: %s',
  async kind => {
    for (const samples of [[own(0)], [sampleAt(100)], [sampleAt(100), sampleAt(200)]]) {
      const { drawing } = await draw(samples, kind)
      expect(drawing.svg).not.toMatch(/NaN|Infinity|undefined/)
      expect(drawing.offsets.length).toBeGreaterThan(0)
    }
  },
)

test('a reference profile has no panels for what it does not know', async () => {
  const { drawing } = await draw([sampleAt(100), sampleAt(200)])
  expect(titles.filter(title => drawing.svg.includes(`>${title}`))).toEqual(titles.slice(0, 3))
})

test('what is not known in between breaks the line', async () => {
  const { drawing } = await draw([own(0), own(1, { goodput: undefined, cpu_avg: null }), own(2)])
  expect(drawing.svg).not.toMatch(/NaN|undefined/)
})

test('a run of hours: as many steps as pixels, with the extremes as a band and said so', async () => {
  const samples = times(20_000)
  samples[7777] = own(7777, { goodput: 9 })
  const { drawing, hover } = await draw(samples, 'default', 600)
  expect(hover.at.length).toBeLessThanOrEqual(600)
  expect(drawing.svg).toContain('Each step is the mean of up to')
  expect(drawing.svg).toContain('highest 9')
  expect(hover.series.find(({ label }) => label === 'Goodput')!.texts.join()).toContain('(0.7 to 9)')
  expect(drawing.svg.length).toBeLessThan(600_000)
})

test('the three series of the reference are six inches wide per minute, and not wider than can be opened', async () => {
  const minutes = (count: number) => [sampleAt(0), sampleAt(100), sampleAt(count * 60_000 - 100)]
  const widthOf = async (count: number) => (await draw(minutes(count), 'retriever')).drawing.width - 24
  expect(await widthOf(2)).toBe(2 * 6 * 96)
  expect(await widthOf(0.1)).toBe(576)
  expect(await widthOf(10_000)).toBe(20_000)
})

test('all fields are drawn, those of a caller too', async () => {
  const { drawing } = await draw([own(0, { items_done: 1 }), own(1, { items_done: 5 })], 'all')
  for (const name of ['cpu_avg', 'disk_iops', 'hash_backlog', 'items_done']) expect(drawing.svg).toContain(`>${name}`)
})
