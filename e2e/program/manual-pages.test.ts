/** The built manual: whole, without scripts, and nothing in it leads nowhere. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { endpoints } from '../../packages/api/src/endpoints/index.ts'
import { buildManual } from '../../scripts/build-manual.ts'
import { renderMarkdown } from '../../scripts/manual/render-markdown.ts'
import { withoutInlineScripts } from '../../scripts/manual/typedoc-plugin.ts'

let output: string
const pages = new Map<string, string>()

beforeAll(async () => {
  output = await mkdtemp(join(tmpdir(), 'arriero-pages-'))
  await buildManual(output)
  for (const file of await readdir(output)) {
    if (file.endsWith('.html')) pages.set(file, await readFile(join(output, file), 'utf8'))
  }
})
afterAll(() => rm(output, { recursive: true, force: true }))

const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found!)

test('every link leads to a page that is there, and every anchor to a heading', async () => {
  const files = new Set(await readdir(output, { recursive: true }))
  // Made by another program, behind this one.
  files.add('api/index.html')
  const lost = [...pages].flatMap(([name, html]) =>
    all(html, /(?:href|src)="([^"]+)"/g)
      .filter(link => !/^https?:/.test(link))
      .filter(link => {
        const [file = '', anchor] = link.split('#')
        const target = file === '' ? name : file
        if (anchor === undefined) return !files.has(target)
        return !pages.get(target)?.includes(`id="${decodeURIComponent(anchor)}"`)
      })
      .map(link => `${name}: ${link}`),
  )
  expect(lost).toEqual([])
  expect(pages.size).toBeGreaterThan(20)
})

test('no page has a script, a style of its own, or anything from elsewhere', () => {
  for (const [name, html] of pages) {
    expect(html, name).not.toMatch(
      /<script|<iframe|<style|\sstyle=|\son[a-z]+=|(?:src|<link[^>]+href)="(?:https?:)?\/\//i,
    )
  }
})

test('every page is in the list beside every page, has one title and no anchor twice', () => {
  for (const [name, html] of pages) {
    const [list = ''] = /<nav class="pages"[\s\S]*?<\/nav>/.exec(html) ?? []
    const missing = [...pages.keys()].filter(page => page !== 'index.html' && !list.includes(`href="${page}"`))
    expect(missing, name).toEqual([])
    expect(all(html, /(<h1)/g), name).toHaveLength(1)
    const ids = all(html, /\sid="([^"]+)"/g)
    expect(ids.length, name).toBe(new Set(ids).size)
  }
})

test('the page of the API has every call of the table', () => {
  const page = pages.get('http-api.html') ?? ''
  for (const group of Object.values(endpoints)) {
    for (const { path } of Object.values(group)) expect(page).toContain(`<code>/api/v2/${path}</code>`)
  }
})

test('the page of the dashboard tells of every page there, and whom it is for', async () => {
  const source = await readFile(new URL('../../packages/dashboard/src/pages.ts', import.meta.url), 'utf8')
  const shown = [...source.matchAll(/title: '(\w+)', icon: '[^']*',(?: level: '(\w+)')?/g)]
  expect(shown.length).toBeGreaterThan(10)
  const rows = all(pages.get('dashboard.html') ?? '', /<tr>\n<td>(\w+<\/td>[\s\S]*?)<\/tr>/g)
  const told = rows.map(row =>
    row
      .replaceAll(/<[^>]+>/g, ' ')
      .trim()
      .split(/\s+/),
  )
  expect(told.map(words => [words[0], words.at(-1)])).toEqual(
    shown.map(([, title, level = 'READONLY']) => [title, level]),
  )
})

test('renderMarkdown() makes links of the repository text, and takes no HTML', () => {
  const { html, title, headings } = renderMarkdown(
    '# A `b`\n\n<!-- not shown -->\n\n[x](get.md#a) [y](../../README.md) [z](https://example.org)\n\n## Twice\n\n## Twice\n\n<script>alert(1)</script>',
    new Set(['get']),
  )
  expect(title).toBe('A b')
  expect(headings.map(({ id }) => id)).toEqual(['twice', 'twice-1'])
  expect(html).toContain(
    '<a href="get.html#a">x</a> <span class="elsewhere">y</span> <a href="https://example.org">z</a>',
  )
  expect(html).not.toMatch(/<script|not shown/)
})

test('a page of the reference runs scripts from files only, and the same one on two pages is one file', () => {
  const page = (code: string) => `<body><script>${code}</script><script defer src="../assets/main.js"></script></body>`
  const [first, second, other] = [
    withoutInlineScripts(page('a("$&")'), '../'),
    withoutInlineScripts(page('a("$&")'), ''),
    withoutInlineScripts(page('b()'), ''),
  ]
  const [[name = '', code] = []] = [...first.inline]
  expect(code).toBe('a("$&")')
  expect(first.html).toBe(
    `<body><script src="../${name}"></script><script defer src="../assets/main.js"></script></body>`,
  )
  expect(second.inline).toEqual(first.inline)
  expect(second.html).toContain(`<script src="${name}"></script>`)
  expect(other.inline.has(name)).toBe(false)
})
