/** Writes a picture's file: complete under its name, or not at all. */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { ProgramError } from '../errors.ts'
import { writeReason } from '../system-error.ts'
import { type Hover, htmlPage } from './page.ts'
import type { Drawing } from './sheet.ts'

const pictureTypes = ['.svg', '.html'] as const
export type PictureType = (typeof pictureTypes)[number]

/** What the name asks for; to be asked before anything is drawn. */
export function pictureType(path: string): PictureType {
  const extension = extname(path).toLowerCase()
  const type = pictureTypes.find(each => each === extension)
  if (!type) {
    throw new ProgramError('Usage', `Cannot draw ${path}: the name must end with .svg or .html.`)
  }
  return type
}

/** SVG or a page, as the name asks for; a page shows values where the pointer is. */
export function writeDrawing(path: string, drawing: Drawing, hover?: Hover): void {
  const type = pictureType(path)
  writeWhole(
    path,
    type === '.svg' ? `<?xml version="1.0" encoding="UTF-8"?>\n${drawing.svg}\n` : htmlPage(drawing, hover),
  )
}

function writeWhole(path: string, text: string): void {
  const temporary = join(dirname(path), `.arriero-${randomBytes(6).toString('hex')}`)
  try {
    const fd = openSync(temporary, 'wx')
    try {
      writeFileSync(fd, text)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new ProgramError('Disk', `Cannot write ${path}: ${writeReason(error)}`, {
      remedy: 'Check the path and its permissions.',
      cause: error,
    })
  }
}
