/** Values by so many at a time, so that the catalogue is asked once per page. */
export async function* inPages<T>(values: AsyncIterable<T> | Iterable<T>, size: number): AsyncIterable<T[]> {
  let page: T[] = []
  for await (const value of values) {
    page.push(value)
    if (page.length < size) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}
