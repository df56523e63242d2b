import { expect, test } from 'vitest'
import { type Chart, drawChart, loadPlot } from './chart.ts'
import { inkOf } from './ink.ts'
import { htmlPage } from './page.ts'
import { drawSheet } from './sheet.ts'

const points = Array.from({ length: 50 }, (_, i) => ({ time: new Date(1e12 + i * 100), value: i % 7, part: i % 5 }))

async function lineChart(): Promise<Chart> {
  const { areaY, lineY, ruleX, text } = await loadPlot()
  return drawChart({
    width: 640,
    height: 120,
    x: { type: 'utc' },
    y: { grid: true },
    marks: [
      areaY(points, { x: 'time', y1: 0, y2: 'value', fill: '#cccccc' }),
      lineY(points, { x: 'time', y: 'value', clip: true, ...inkOf(1) }),
      ruleX([points[9]!.time]),
      text(['fetch & <verify>'], { x: () => points[9]!.time, y: () => 6, text: word => word }),
    ],
  })
}

async function heatMap(): Promise<Chart> {
  const { cell, text } = await loadPlot()
  const channels = { x: 'part', y: 'value' } as const
  return drawChart({
    width: 640,
    height: 200,
    color: { scheme: 'blues' },
    marks: [cell(points, { ...channels, fill: 'part', title: 'part' }), text(points, { ...channels, text: 'part' })],
  })
}

/** The names of elements that are open at the end, or closed in the wrong order. */
function unbalanced(xml: string): string[] {
  const open: string[] = []
  for (const [, slash, name] of xml.matchAll(/<(\/?)([a-zA-Z]+)[^>]*>/g)) {
    if (slash === '') open.push(name!)
    else if (open.pop() !== name) return [`</${name}>`]
  }
  return open
}

test('drawSheet() puts panels below each other, each with its title, and loses none of their marks', async () => {
  const sheet = drawSheet({
    title: 'Two panels',
    lines: ['of one machine'],
    panels: [
      { title: 'Line', legend: [{ label: 'value', ...inkOf(1) }], chart: await lineChart() },
      { title: 'Cells', chart: await heatMap() },
    ],
  })
  expect(unbalanced(sheet.svg)).toEqual([])
  const [first, second] = sheet.offsets
  expect(second!.y).toBeGreaterThanOrEqual(first!.y + 120)
  expect(sheet.height).toBeGreaterThanOrEqual(second!.y + 200)
  expect(sheet.svg).toContain('fetch &amp; &lt;verify&gt;')
  expect(sheet.svg).toContain('stroke-dasharray="5 2.5"')
  expect(sheet.svg.match(/<rect/g)!.length).toBeGreaterThanOrEqual(1 + points.length)
})

test('a drawing needs nothing from elsewhere: no address, no style sheet, no image', async () => {
  const { svg } = drawSheet({ title: 'One', panels: [{ chart: await lineChart() }] })
  expect(svg.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|<style|<image|NaN|undefined/)
})

test('two charts of one sheet clip by shapes of their own', async () => {
  const { svg } = drawSheet({ title: 'Two', panels: [{ chart: await lineChart() }, { chart: await lineChart() }] })
  const ids = [...svg.matchAll(/<clipPath id="([^"]+)"/g)].map(([, id]) => id)
  expect(ids).toHaveLength(2)
  expect(new Set(ids).size).toBe(2)
  for (const id of ids) expect(svg).toContain(`url(#${id})`)
})

test('a chart knows where its axis lies', async () => {
  const x = (await lineChart()).scale('x')!
  expect([...x.domain!].map(Number)).toEqual([1e12, 1e12 + 4900])
  const [left, right] = [...x.range!]
  expect(left).toBeLessThan(right)
})

test('htmlPage() cannot be left by what it shows', async () => {
  const drawing = drawSheet({ title: '</title><script>alert(1)</script>', panels: [{ chart: await lineChart() }] })
  const series = [{ label: '</script><b>', texts: ['<!--'] }]
  const page = htmlPage(drawing, {
    left: 0,
    right: 1,
    top: 0,
    bottom: 1,
    from: 0,
    to: 1,
    at: [0],
    names: ['x'],
    series,
  })
  expect(page.match(/<script/g)).toHaveLength(1)
  expect(page.match(/<\/script/g)).toHaveLength(1)
  expect(page).not.toContain('<b>')
  expect(page).not.toContain('<!--')
})
