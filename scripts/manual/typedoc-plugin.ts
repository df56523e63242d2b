/**
 * Of the pages that typedoc makes: what they would run by a script in the page lies in a file, because a librarian serves them under
 * a policy that allows no other; and the link back to the manual leads there from every depth.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Application, PageEvent, RendererEvent } from 'typedoc'

/** Called by typedoc, which `typedoc.json` tells of it. */
export function load({ renderer }: Pick<Application, 'renderer'>): void {
  const scripts = new Map<string, string>()
  renderer.on(PageEvent.END, page => {
    const base = '../'.repeat(page.url.split('/').length - 1)
    const { html, inline } = withoutInlineScripts(page.contents ?? '', base)
    for (const [name, code] of inline) scripts.set(name, code)
    page.contents = html.replaceAll('href="manual:"', `href="${base}../index.html"`)
  })
  renderer.on(RendererEvent.END, ({ outputDirectory }) => {
    for (const [name, code] of scripts) writeFileSync(join(outputDirectory, name), code)
  })
}

/** Moves each into a file that is called by what it holds: the same one on all pages is one file. */
export function withoutInlineScripts(text: string, base: string): { html: string; inline: Map<string, string> } {
  const inline = new Map<string, string>()
  const html = text.replaceAll(/<script>([\s\S]*?)<\/script>/g, (_, code: string) => {
    const name = `assets/page-${createHash('sha256').update(code).digest('hex').slice(0, 8)}.js`
    inline.set(name, code)
    return `<script src="${base}${name}"></script>`
  })
  return { html, inline }
}
