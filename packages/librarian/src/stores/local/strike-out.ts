import { open } from 'node:fs/promises'

const COMMENT = Buffer.from('#')

/** Makes comments of the lines that begin at these places, where they stand. Durable; may be done twice, and by several at once. */
export async function strikeOut(path: string, places: readonly number[]): Promise<void> {
  if (places.length === 0) return
  const file = await open(path, 'r+')
  try {
    for (const place of places) await file.write(COMMENT, 0, 1, place)
    await file.datasync()
  } finally {
    await file.close()
  }
}
