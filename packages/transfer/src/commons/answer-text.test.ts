import { expect, test } from 'vitest'
import { html } from '../../test/commons-server/answers.ts'
import { answerText } from './answer-text.ts'

const said = (status: number, body: string) => answerText({ status, body })

test('answerText() takes the reason out of a page, without the status and the ways out of it', () => {
  expect(said(401, html(401, 'Gen3 Fence', 'Signature has expired').body as string)).toBe('Signature has expired')
  expect(said(404, '<html><nav>Menu</nav><h1>404 - Not here</h1><button>Back</button></html>')).toBe('Not here')
})

test('answerText() leaves numbers that are not the status', () => {
  expect(said(400, '{"message":"4001 is no size"}')).toBe('4001 is no size')
  expect(said(400, 'no')).toBe('no')
})

test('answerText() takes no longer for a page that is made to be hard to read', () => {
  const started = performance.now()
  said(500, `<html>${'<a '.repeat(1_000_000)}`)
  expect(performance.now() - started).toBeLessThan(1000)
})
