/** An image with as little in it as possible: a PE header, .osrel, and bytes that tell one image from another. */

const OSREL_OFFSET = 512;

export function fakeImage(build: number, { bytes = 3 << 20, version = "0.1.0" } = {}): Buffer {
  const image = Buffer.alloc(bytes, `build ${build}. `);
  image.fill(0, 0, OSREL_OFFSET + 512);
  image.write("MZ");
  image.writeUInt32LE(0x80, 0x3c);
  image.write("PE\0\0", 0x80);
  image.writeUInt16LE(1, 0x80 + 6);
  image.writeUInt16LE(0, 0x80 + 20);
  const osrel = `ID=understudy\nIMAGE_ID=understudy\nIMAGE_VERSION=${version}.${build}\nBUILD_ID=c0ffee\n`;
  const section = 0x80 + 24;
  image.write(".osrel", section);
  image.writeUInt32LE(osrel.length, section + 8);
  image.writeUInt32LE(512, section + 16);
  image.writeUInt32LE(OSREL_OFFSET, section + 20);
  image.write(osrel, OSREL_OFFSET);
  return image;
}
