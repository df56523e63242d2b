import { renderToString } from 'preact-render-to-string'
import { expect, test } from 'vitest'
import { sites } from '../../../test/stand-in/pages.ts'
import { SitesMap } from './map.tsx'

test('the map names every site as text, also one whose name is an attack', () => {
  const hostile = { ...sites[0]!, librarian_name: '<img src=x>' }
  const html = renderToString(<SitesMap siteName="here" sites={[hostile, ...sites.slice(1)]} />)
  expect(html).toContain('&lt;img src=x>')
  expect(html).not.toContain('<img')
  for (const { librarian_name } of sites.slice(1)) expect(html).toContain(`<title>${librarian_name}</title>`)
})

test('the map says in words who does not answer and who is paused', () => {
  const html = renderToString(<SitesMap siteName="here" sites={sites} />)
  expect(html).toContain('no answer')
  expect(html).toContain('paused')
  expect(html).toContain('not asked yet')
})
