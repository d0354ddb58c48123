/** The renderer of each mode. */
import { Characters } from './characters.ts';
import { HalfBlocks } from './half-blocks.ts';
import { KittyImages } from './kitty.ts';
import type { GraphicsMode, Renderer, RendererOptions } from './renderer.ts';
import { Sixels } from './sixel.ts';

export function createRenderer(mode: GraphicsMode, options: RendererOptions = {}): Renderer {
  switch (mode) {
    case 'kitty':
      return new KittyImages(options);
    case 'sixel':
      return new Sixels(options);
    case 'truecolor':
    case '256':
      return new HalfBlocks(mode, options);
    case 'ascii':
      return new Characters(options);
    default:
      return mode satisfies never;
  }
}
