/**
 * Pictures: put together of parts, with marks drawn on them, scaled, and written in a format. The page is not needed for
 * any of it.
 */

/** What every format and every canvas takes: WebP has no more than 16,383 pixels on a side. */
const SIDE_MAX = 16_000;
/** The colours of marks, which are told apart where they are close. */
const COLOURS = ['#d6006c', '#0057d8', '#8a3ffc', '#b84a00', '#00736f'];
const QUALITY = 80;

/** @typedef {{ x: number, y: number, width: number, height: number }} Area */
/** @typedef {{ from: Area, to: { x: number, y: number } }} Part from the window into the picture, in CSS pixels */

/** A picture that is put together. Places in it are in CSS pixels of the page until it is scaled. */
export class Picture {
  /** @param {number} width @param {number} height CSS pixels @param {number} density pixels of the screen for each @param {number | undefined} maxSide */
  constructor(width, height, density, maxSide) {
    const longest = Math.max(width, height) * density;
    /** Pixels of the picture for each CSS pixel. */
    this.scale = density * Math.min(1, Math.min(maxSide ?? SIDE_MAX, SIDE_MAX) / longest);
    const side = (/** @type {number} */ length) => Math.max(Math.round(length * this.scale), 1);
    this.canvas = new OffscreenCanvas(side(width), side(height));
    this.context = /** @type {OffscreenCanvasRenderingContext2D} */ (
      this.canvas.getContext('2d', { willReadFrequently: true })
    );
    this.context.fillStyle = 'white';
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.context.imageSmoothingQuality = 'high';
  }

  /** @param {ImageBitmap} bitmap of the window @param {number} density @param {Part} part */
  add(bitmap, density, { from, to }) {
    // Edges at whole pixels: neither a seam nor a shift of less than one.
    const edge = (/** @type {number} */ at) => Math.round(at * this.scale);
    const [left, top] = [edge(to.x), edge(to.y)];
    const [right, bottom] = [edge(to.x + from.width), edge(to.y + from.height)];
    if (right <= left || bottom <= top) return;
    const [x, y, width, height] = [from.x, from.y, from.width, from.height].map((it) => Math.round(it * density));
    this.context.drawImage(bitmap, x, y, width, height, left, top, right - left, bottom - top);
  }

  /** @param {Area} area CSS pixels @returns {Area} pixels of the picture */
  scaled({ x, y, width, height }) {
    const [left, top] = [Math.round(x * this.scale), Math.round(y * this.scale)];
    return { x: left, y: top, width: Math.round(width * this.scale), height: Math.round(height * this.scale) };
  }

  /** Draws frames with the names of what is in them. @param {(Area & { name: string })[]} marks pixels of the picture */
  mark(marks) {
    const { context } = this;
    const size = Math.max(Math.round(12 * Math.min(this.scale, 2)), 10);
    context.font = `bold ${size}px sans-serif`;
    context.textBaseline = 'top';
    context.lineWidth = Math.max(Math.round(size / 7), 1);
    for (const [index, { x, y, width, height, name }] of marks.entries()) {
      const colour = COLOURS[index % COLOURS.length];
      context.strokeStyle = colour;
      context.strokeRect(x, y, width, height);
      const label = context.measureText(name).width + 4;
      // Beside its left upper corner, within the picture.
      const at = {
        x: Math.min(Math.max(x, 0), Math.max(this.canvas.width - label, 0)),
        y: y >= size + 2 ? y - size - 2 : Math.max(y, 0),
      };
      context.fillStyle = colour;
      context.fillRect(at.x, at.y, label, size + 2);
      context.fillStyle = 'white';
      context.fillText(name, at.x + 2, at.y + 2);
    }
  }

  /** Whether all of it is one colour. */
  isUniform() {
    const { data } = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    const pixels = new Uint32Array(data.buffer);
    return pixels.every((pixel) => pixel === pixels[0]);
  }

  /** @param {'png' | 'jpeg' | 'webp'} format @param {number} [quality] 1 to 100 @returns {Promise<string>} in base64 */
  async written(format, quality = QUALITY) {
    const blob = await this.canvas.convertToBlob({ type: `image/${format}`, quality: quality / 100 });
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return /** @type {Uint8Array & { toBase64(): string }} */ (bytes).toBase64();
  }
}
