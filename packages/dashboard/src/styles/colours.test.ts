import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const css = await readFile(new URL('./colours.css', import.meta.url), 'utf8')
const pairs = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, light, dark]) => [
    name!,
    { light: light!, dark: dark! },
  ]),
)
const themes = ['light', 'dark'] as const
const grounds = ['page', 'panel', 'raised', 'good-tint', 'warn-tint', 'bad-tint']

function contrast(a: string, b: string, theme: (typeof themes)[number]): number {
  const [high, low] = [a, b].map(name => luminance(pairs.get(name)![theme])).sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

/** As WCAG 2.2 defines it. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map(at => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

const texts = ['ink', 'ink-soft', 'accent', 'good', 'warn', 'bad']
const cases = [
  ...texts.flatMap(text => grounds.map(ground => [text, ground, 4.5] as const)),
  ['on-accent', 'accent', 4.5] as const,
  ['on-bad', 'bad', 4.5] as const,
  ...['page', 'panel'].map(ground => ['edge', ground, 3] as const),
  ...['series-0', 'series-1', 'series-2'].map(series => [series, 'panel', 3] as const),
]

test.each(themes)('every text is readable on every ground, %s', theme => {
  const weak = cases
    .map(([text, ground, least]) => ({ text, ground, least, is: contrast(text, ground, theme) }))
    .filter(({ least, is }) => is < least)
  expect(weak).toEqual([])
})

test('every colour has a light and a dark form', () => {
  expect(css.match(/#\w{3,8}/g)).toHaveLength(pairs.size * 2)
})
