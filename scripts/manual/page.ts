/** What stands around the text of every page. */
import { escapeHtml } from './escape-html.ts'
import type { Chapter } from './navigation.ts'
import type { Heading } from './render-markdown.ts'

export interface Page {
  readonly name: string
  readonly title: string
  readonly html: string
  readonly headings: readonly Heading[]
  readonly navigation: readonly Chapter[]
  /** Of the program. */
  readonly version: string
}

/** Shorter lists of headings would be in the way. */
const leastHeadings = 3

/** Made by typedoc beside these pages. */
const libraries = '<h2>Libraries</h2><ul><li><a href="api/index.html">TypeScript interfaces</a></li></ul>'

export function renderPage({ name, title, html, headings, navigation, version }: Page): string {
  const shown = name === 'index' ? 'Arriero' : `${escapeHtml(title)} · Arriero`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${shown}</title>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="style.css">
</head>
<body>
<a class="skip" href="#text">To the text</a>
<header><a href="index.html">Arriero</a> <span>manual of release ${escapeHtml(version)}</span> <a class="to-pages" href="#pages">All pages</a></header>
<main id="text">
${html}</main>
${contents(headings)}
<nav class="pages" id="pages" aria-label="Pages">${navigation.map(chapter => chapterList(chapter, name)).join('\n')}
${libraries}</nav>
</body>
</html>
`
}

function chapterList({ title, pages }: Chapter, current: string): string {
  const items = pages.map(({ name, title }) => {
    const here = name === current ? ' aria-current="page"' : ''
    return `<li><a href="${name}.html"${here}>${escapeHtml(title)}</a></li>`
  })
  return `<h2>${escapeHtml(title)}</h2><ul>${items.join('')}</ul>`
}

/** Headings of the second level. */
function contents(headings: readonly Heading[]): string {
  const shown = headings.filter(({ level }) => level === 2)
  if (shown.length < leastHeadings) return ''
  const items = shown.map(({ id, text }) => `<li><a href="#${id}">${escapeHtml(text)}</a></li>`)
  return `<nav class="contents" aria-label="On this page"><h2>On this page</h2><ul>${items.join('')}</ul></nav>`
}
