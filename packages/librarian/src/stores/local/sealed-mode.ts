/** Of a spool that nobody may write any more: its bytes were taken for a commit. */
export function isSealedMode(mode: number): boolean {
  return (mode & 0o200) === 0
}
