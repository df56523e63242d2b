/**
 * `npm run docs:build`: the manual as static pages in `docs/dist`, which a librarian serves below `/docs/`. No page needs a
 * script or anything from elsewhere.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openApi } from '../packages/api/src/openapi.ts'
import { version } from '../packages/cli/src/version.ts'
import { renderHttpApi } from './manual/http-api.ts'
import { navigationOf } from './manual/navigation.ts'
import { renderPage } from './manual/page.ts'
import { renderMarkdown } from './manual/render-markdown.ts'

const docs = fileURLToPath(new URL('../docs/', import.meta.url))

/** @param output emptied first */
export async function buildManual(output: string): Promise<{ pages: number }> {
  const sources = await sourcePages()
  const names = new Set(sources.keys())
  const navigation = navigationOf((await readFile(sources.get('index')!, 'utf8')) ?? '')
  await rm(output, { recursive: true, force: true })
  await mkdir(join(output, 'pictures'), { recursive: true })
  const document = openApi({ version })
  for (const [name, path] of sources) {
    const rendered = renderMarkdown(await readFile(path, 'utf8'), names)
    const more = name === 'http-api' ? renderHttpApi(document) : undefined
    const headings = [...rendered.headings, ...(more?.headings ?? [])]
    const html = rendered.html + (more?.html ?? '')
    const page = renderPage({ name, title: rendered.title, html, headings, navigation, version })
    await writeFile(join(output, `${name}.html`), page)
  }
  await writeFile(join(output, 'openapi.json'), `${JSON.stringify(document, undefined, 2)}\n`)
  await cp(new URL('manual/style.css', import.meta.url), join(output, 'style.css'))
  await cp(new URL('../packages/dashboard/src/styles/icon.svg', import.meta.url), join(output, 'icon.svg'))
  await copyPictures(join(output, 'pictures'))
  return { pages: sources.size }
}

/** Paths by name. Names are unique: pages link to each other by them. */
async function sourcePages(): Promise<Map<string, string>> {
  const manual = (await readdir(join(docs, 'manual'))).filter(file => file.endsWith('.md')).sort()
  const paths = [...manual.map(file => join(docs, 'manual', file)), join(docs, 'glossary.md')]
  return new Map(paths.map(path => [basename(path, '.md'), path]))
}

async function copyPictures(output: string): Promise<void> {
  for (const folder of ['pictures', 'manual/pictures']) {
    for (const file of await readdir(join(docs, folder))) {
      await cp(join(docs, folder, file), join(output, file), { errorOnExist: true, force: false })
    }
  }
}

if (import.meta.main) {
  const output = join(docs, 'dist')
  const { pages } = await buildManual(output)
  console.log(`${pages} pages in docs/dist`)
}
