/**
 * What became of an act that was in frames, and of the page around them: the looks at each of their documents, put
 * together.
 */

/** A frame that is being left is waited for as long as this. */
const NAVIGATION_MS = 3_000;
/** Between two looks at it. */
const LOOK_MS = 20;

/** @typedef {PageData<'settle'>} Settled */
/** @typedef {{ data: Settled, page: import('./protocol.js').Page }} Look */

/**
 * @param {{
 *   ask: (frameId: number, params: { actedIn?: string }) => Promise<PageResult<'settle'>>,
 *   isThere: (frameId: number) => Promise<boolean>,
 *   frames: Map<number, string>, acting: number | undefined,
 * }} parts `frames`: those that the act was in, with the marks of their documents; `acting`: the one that tells what became
 *   of it, if that is not the page itself
 * @returns {Promise<Look>}
 */
export async function settleAll({ ask, isThere, frames, acting }) {
  const looks = [...frames].map(async ([frameId, mark]) => {
    const { look, went } = await settleIn(
      () => ask(frameId, { actedIn: mark }),
      () => isThere(frameId),
      mark,
    );
    return { frameId, look, went };
  });
  const [{ data, page }, ...inner] = await Promise.all([ask(0, {}).then(told), ...looks]);
  const seen = inner.map(({ look }) => look?.data.seen ?? {});
  const after = acting === undefined ? data.after : inner.find(({ frameId }) => frameId === acting)?.look?.data.after;
  return {
    data: {
      ...data,
      signature: [data.signature, ...inner.map(({ look }) => look?.data.signature)].join(' '),
      rested: data.rested && inner.every(({ look }) => look === null || look.data.rested),
      after: after ?? null,
      seen: together([data.seen, ...seen], inner.find(({ went }) => went !== undefined)?.went),
    },
    page,
  };
}

/**
 * A look at a frame, once it is not being left any more; null if it is gone. `went`: its address, if it went elsewhere.
 * @param {() => Promise<PageResult<'settle'>>} ask @param {() => Promise<boolean>} isThere @param {string} mark
 * @returns {Promise<{ look: Look | null, went?: string }>}
 */
async function settleIn(ask, isThere, mark) {
  for (const until = Date.now() + NAVIGATION_MS; ; ) {
    const look = await ask().then(told, () => null);
    if (look !== null && !look.data.leaving) {
      const went = look.page.document !== mark || look.data.seen.moved;
      return went ? { look, went: look.page.url } : { look };
    }
    if (Date.now() >= until || !(await isThere())) return { look };
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/**
 * What documents saw, the page first. That a frame has the focus says less than what has it there.
 * @param {PageSeen[]} seen @param {string | undefined} went @returns {PageSeen}
 */
function together([page, ...frames], went) {
  const all = [page, ...frames];
  const focus = all.map((it) => it.focus).find((it) => it !== undefined && it.inside === undefined) ?? page.focus;
  const scrolled = Math.max(...all.map((it) => it.scrolled ?? 0));
  const blocked = all.flatMap((it) => it.blocked ?? []);
  const asked = all.flatMap((it) => it.asked ?? []);
  const { inside: _, ...element } = focus ?? { role: '', name: '' };
  return {
    hidden: page.hidden,
    moved: page.moved,
    ...(focus ? { focus: element } : {}),
    ...(scrolled > 0 ? { scrolled } : {}),
    ...(blocked.length > 0 ? { blocked } : {}),
    ...(asked.length > 0 ? { asked } : {}),
    ...(all.some((it) => it.waits) ? { waits: true } : {}),
    ...(went === undefined ? {} : { went }),
  };
}

/** Where there are frames, only an element that was read before has a number. @param {PageResult<'settle'>} answer @returns {Look} */
function told({ data, page, frames }) {
  const { focus } = data.seen;
  if (frames === undefined || focus?.n === undefined) return { data, page };
  const { n: place, ...rest } = focus;
  const { n } = frames.known[place];
  return { data: { ...data, seen: { ...data.seen, focus: n === 0 ? rest : { ...rest, n } } }, page };
}
