/** The list of pages beside every page: what the first page of the manual lists, in its order. */
export interface Chapter {
  readonly title: string
  readonly pages: readonly { readonly name: string; readonly title: string }[]
}

/** @param index text of `index.md`: a heading for each chapter, and the links below it */
export function navigationOf(index: string): readonly Chapter[] {
  return index
    .split(/^## /m)
    .slice(1)
    .map(part => {
      const links = [...part.matchAll(/\[([^\]]+)\]\((?:\.\.\/)?([\w-]+)\.md\)/g)]
      const pages = new Map(links.map(([, title = '', name = '']) => [name, title]))
      return {
        title: part.split('\n', 1)[0]!.trim(),
        pages: [...pages].map(([name, title]) => ({ name, title: title.replaceAll('`', '') })),
      }
    })
    .filter(({ pages }) => pages.length > 0)
}
