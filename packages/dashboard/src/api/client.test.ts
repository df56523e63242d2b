import { expect, test, vi } from 'vitest'
import { createClient, dataUrl } from './client.ts'

test('calls carry the session’s header, no Authorization, and no cookie of other sites', async () => {
  const asked: { readonly url: string; readonly init: RequestInit | undefined }[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    asked.push({ url: String(input), init })
    return Response.json({ name: 'here', description: '', capabilities: [], site_name: 'here', sites: [] })
  }
  const api = createClient({ fetch, origin: 'http://librarian.example', csrf: () => 'c0ffee', onDenied: vi.fn() })
  expect(await api.dashboard.sites({})).toEqual({ site_name: 'here', sites: [] })
  const { url, init } = asked.at(-1)!
  expect(url).toBe('http://librarian.example/api/v2/dashboard/sites')
  expect(new Headers(init?.headers).get('x-arriero-csrf')).toBe('c0ffee')
  expect(new Headers(init?.headers).has('authorization')).toBe(false)
  expect(init?.credentials).toBe('same-origin')
})

test('an answer that denies has the session looked at', async () => {
  const onDenied = vi.fn()
  const fetch: typeof globalThis.fetch = async () => Response.json({ detail: 'Not authenticated' }, { status: 401 })
  const api = createClient({ fetch, origin: 'http://librarian.example', csrf: () => undefined, onDenied })
  await expect(api.dashboard.overview({})).rejects.toMatchObject({ code: 'NotAuthenticated' })
  expect(onDenied).toHaveBeenCalled()
})

test('dataUrl() keeps slashes and escapes the rest', () => {
  expect(dataUrl('night 1/a#b?.fits')).toBe('/api/v2/data/night%201/a%23b%3F.fits')
})
