import { describe, expect, test } from 'vitest'
import { parseEpsv, parsePasv } from './passive.ts'

const said = (text: string) => ({ code: 0, lines: [text] })

describe('parseEpsv()', () => {
  test.each([
    ['Entering Extended Passive Mode (|||6446|)', 6446],
    ['ok (!!!1!)', 1],
    ['(|||65536|)', undefined],
    ['(|||0|)', undefined],
    ['(||6446|)', undefined],
    ['here', undefined],
  ])('%s', (text, port) => expect(parseEpsv(said(text))).toBe(port))
})

describe('parsePasv()', () => {
  test.each([
    ['Entering Passive Mode (10,0,0,1,25,46)', 6446],
    ['Entering Passive Mode 127,0,0,1,0,21.', 21],
    ['(1, 2, 3, 4, 255, 255)', 65535],
    ['(1,2,3,4,256,1)', undefined],
    ['(1,2,3,4,0,0)', undefined],
    ['(1,2,3,4)', undefined],
  ])('%s', (text, port) => expect(parsePasv(said(text))).toBe(port))
})
