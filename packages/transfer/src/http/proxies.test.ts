import { describe, expect, test } from 'vitest'
import { proxiesFrom } from './proxies.ts'

describe('proxiesFrom()', () => {
  test('is nothing without a proxy variable', () => {
    expect(proxiesFrom({ NO_PROXY: '*', https_proxy: '' })).toBeUndefined()
  })

  test('exempts what NO_PROXY names', () => {
    const proxies = proxiesFrom({ https_proxy: 'http://proxy:3128', NO_PROXY: 'a.test, .b.test,*.c.test' })
    const mayProxy = (host: string) => proxies?.mayProxy(new URL(`https://${host}/`))
    expect(mayProxy('a.test')).toBe(false)
    expect(mayProxy('x.a.test')).toBe(false)
    expect(mayProxy('b.test')).toBe(false)
    expect(mayProxy('x.c.test')).toBe(false)
    expect(mayProxy('xa.test')).toBe(true)
    expect(mayProxy('d.test')).toBe(true)
    expect(proxiesFrom({ HTTP_PROXY: 'http://p', no_proxy: '*' })?.mayProxy(new URL('http://x/'))).toBe(false)
  })
})
