import { expect, test } from 'vitest'
import { needsOf } from './needs-of.ts'

const need = (title: string, page = '/stores') =>
  ({ severity: 'error', title, detail: '', next_step: 'Mount it.', page }) as const

test('needsOf() finds what names the store, and not what names one with a longer name', () => {
  const needs = [need('The store disk-1 is away'), need('disk-10 is full'), need('old-disk-1: full'), need('disk-1.')]
  expect(needsOf('disk-1', needs)).toEqual([needs[0], needs[3]])
})

test('needsOf() leaves what is about other pages', () => {
  expect(needsOf('nyx', [need('nyx does not answer', '/sites')])).toEqual([])
})
