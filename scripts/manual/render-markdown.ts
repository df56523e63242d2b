/** A page of the manual as HTML: links lead to built pages, headings have anchors. */
import MarkdownIt from 'markdown-it'
import { slug } from './slug.ts'

type Token = ReturnType<MarkdownIt['parse']>[number]

export interface Heading {
  readonly level: number
  readonly text: string
  readonly id: string
}

export interface Rendered {
  readonly title: string
  readonly html: string
  /** Without the title. */
  readonly headings: readonly Heading[]
}

/** @param pages names of all pages; a link to another file of the repository becomes plain text */
export function renderMarkdown(text: string, pages: ReadonlySet<string>): Rendered {
  const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false })
  // A wide table scrolls by itself, and not the page.
  markdown.renderer.rules.table_open = () => '<div class="table" tabindex="0"><table>\n'
  markdown.renderer.rules.table_close = () => '</table></div>\n'
  const tokens = markdown.parse(text.replaceAll(/<!--[\s\S]*?-->/g, ''), {})
  const headings = anchor(tokens)
  for (const { children } of tokens) relink(children ?? [], pages)
  const html = markdown.renderer.render(tokens, markdown.options, {})
  const title = headings.find(({ level }) => level === 1)?.text ?? ''
  return { title, html, headings: headings.filter(({ level }) => level > 1) }
}

/** Gives every heading its anchor; a second one of the same text gets a number, as on the common hosts. */
function anchor(tokens: readonly Token[]): Heading[] {
  const seen = new Map<string, number>()
  return tokens.flatMap((token, at) => {
    if (token.type !== 'heading_open') return []
    const text = textOf(tokens[at + 1]?.children ?? [])
    const plain = slug(text)
    const count = seen.get(plain) ?? 0
    seen.set(plain, count + 1)
    const id = count === 0 ? plain : `${plain}-${count}`
    token.attrSet('id', id)
    return [{ level: Number(token.tag.slice(1)), text, id }]
  })
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map(({ content }) => content).join('')
}

function relink(tokens: readonly Token[], pages: ReadonlySet<string>): void {
  for (const [at, token] of tokens.entries()) {
    if (token.type === 'image') token.attrSet('src', pictureOf(token.attrGet('src') ?? ''))
    if (token.type !== 'link_open') continue
    const target = targetOf(token.attrGet('href') ?? '', pages)
    if (target !== undefined) token.attrSet('href', target)
    else
      withoutLink(
        token,
        tokens.slice(at).find(({ type }) => type === 'link_close'),
      )
  }
}

/** Undefined: a file of the repository that is no page. */
function targetOf(href: string, pages: ReadonlySet<string>): string | undefined {
  if (/^[a-z]+:/i.test(href) || href.startsWith('#')) return href
  const [, name, anchor = ''] = /^(?:\.\.\/|manual\/)?([\w-]+)\.md(#.*)?$/.exec(href) ?? []
  return name !== undefined && pages.has(name) ? `${name}.html${anchor}` : undefined
}

function pictureOf(source: string): string {
  return source.replace(/^(?:\.\.\/)?(?=pictures\/)/, '').replace(/^\.\.\//, '')
}

function withoutLink(open: Token, close: Token | undefined): void {
  open.attrs = [['class', 'elsewhere']]
  open.tag = 'span'
  if (close) close.tag = 'span'
}
