import { fileURLToPath } from 'node:url'

/** Of a picture in `docs/pictures`. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../docs/pictures/${name}`, import.meta.url))
}
