/** The dissector (understudy.lua) as a text, for `understudy capture --dissector`. */
declare module "*.lua" {
  const text: string;
  export default text;
}
