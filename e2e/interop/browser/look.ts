/** What is wrong with a page, as somebody would find it who looks at it, or listens. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import type { Theme } from './tab.ts'

/**
 * WCAG 2, A and AA, as far as a program can judge; what keeps nobody from anything is left out. In other colours nothing else
 * than the contrast can differ.
 */
export async function faultsForAll(page: Page, theme: Theme): Promise<string[]> {
  // Without frames in the page, axe need not open another one to put its findings together.
  const axe = new AxeBuilder({ page }).setLegacyMode()
  const chosen =
    theme === 'light' ? axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']) : axe.withRules('color-contrast')
  const { violations } = await chosen.analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary}`),
    )
}

/** What is wider than its place: on the page, or in a table that would have to be moved sideways. */
export function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const isCut = each => each.scrollWidth > each.clientWidth
    const cut = [document.documentElement, ...document.querySelectorAll('.table-frame')].filter(isCut)
    return cut.map(each => 'cut off: ' + each.tagName + ' ' + each.innerText.slice(0, 60))
  })()`)
}
