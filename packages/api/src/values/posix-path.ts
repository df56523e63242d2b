/**
 * A path as the older clients and servers normalise it (librarian 4.2): repeated `/` and `.` parts collapse, a `/` at the
 * end goes, `..` stays, empty becomes `.`; exactly two slashes at the start stay two, as POSIX lets them.
 */
export function normalisePath(path: string): string {
  const root = /^\/\/(?!\/)/.test(path) ? '//' : path.startsWith('/') ? '/' : ''
  const parts = path.split('/').filter(part => part !== '' && part !== '.')
  return root + parts.join('/') || '.'
}
