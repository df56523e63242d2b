/** What somebody without a mouse does, and sees of it. */
import type { Page } from '@playwright/test'
import { expect } from 'vitest'

/** Presses Tab until the focus is on what is called so. @throws when it has gone round without finding it */
export async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const names: string[] = []
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press('Tab')
    const { name: found, isSeen } = await focused(page)
    names.push(found)
    // After the last one comes the browser’s own bar.
    if (found !== '') expect(isSeen, `the focus on ${found} must be seen`).toBe(true)
    if (typeof name === 'string' ? found === name : name.test(found)) return
  }
  throw new Error(`Tab never comes to ${name}, but to ${names.join(', ')}`)
}

export interface Focused {
  /** As it is read aloud; empty: nothing of the page has the focus. */
  readonly name: string
  /** By an outline, inside what is shown. */
  readonly isSeen: boolean
  readonly isInDialog: boolean
}

export function focused(page: Page): Promise<Focused> {
  return page.evaluate(`(() => {
    const element = document.activeElement
    if (!element || element === document.body) return { name: '', isSeen: false, isInDialog: false }
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    const { top, bottom, width, height } = element.getBoundingClientRect()
    const isShown = width > 0 && height > 0 && bottom > 0 && top < innerHeight
    const text = element.getAttribute('aria-label') ?? element.labels?.[0]?.innerText ?? element.innerText
    return {
      name: text.trim().split('\\n', 1)[0],
      isSeen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && isShown,
      isInDialog: element.closest('dialog') !== null,
    }
  })()`)
}

/** However often one goes on, or back, the page behind the dialog is not reached. */
export async function expectTrapped(page: Page): Promise<void> {
  for (const key of ['Tab', 'Shift+Tab']) {
    for (let presses = 0; presses < 12; presses++) {
      await page.keyboard.press(key)
      const { name, isInDialog } = await focused(page)
      expect(isInDialog || name === '', `${key} leads out of the dialog, to ${name}`).toBe(true)
    }
  }
}
