--[[
  Wireshark dissector for Understudy's frames (EtherType 0x88b5): heartbeats and pairing messages.

    wireshark -X lua_script:understudy.lua capture.pcapng
    tshark -X lua_script:understudy.lua -r capture.pcapng -V

  Or copy it to the personal Lua plugins directory (Help, About Wireshark, Folders).

  The formats are those of heartbeat.ts and pairing.ts beside this file. What a frame alone shows to be wrong is an
  expert information; whether the authentication tag is right only a node can tell, which holds the key. A capture
  that was made by `understudy capture` says in each frame's comment what that node made of it, and it is shown here
  as understudy.verdict.
]]

local understudy = Proto("understudy", "Understudy high availability")

local WIRE_VERSION = 1
local FRAME_TYPES = { [1] = "heartbeat", [2] = "pairing", [3] = "segment" }
local ROLES = {
  [0] = "listening", [1] = "backup", [2] = "probing", [3] = "active", [4] = "resuming", [5] = "departed", [6] = "erased",
}
local ROLE_ACTIVE = 3
local SLOT_MAX = 31
local HEARTBEAT_BYTES = 110
local PIECE_HEADER_BYTES = 12
local PIECE_BYTES_MAX = 1400
local PIECES_MAX = 128

local f = {
  claim = ProtoField.uint8("understudy.claim", "Renews the lease", base.DEC, { [0] = "no", [1] = "yes: the sender is active" }),
  version = ProtoField.uint8("understudy.version", "Wire version"),
  type = ProtoField.uint8("understudy.type", "Frame type", base.DEC, FRAME_TYPES),
  verdict = ProtoField.string("understudy.verdict", "What the capturing node made of it"),
  node = ProtoField.uint8("understudy.node", "Node", base.DEC, { [1] = "1, created the cluster", [2] = "2, joined it" }),
  cluster = ProtoField.uint32("understudy.cluster", "Cluster", base.HEX),
  role = ProtoField.uint8("understudy.role", "Role", base.DEC, ROLES),
  flags = ProtoField.uint8("understudy.flags", "Flags", base.HEX),
  wish = ProtoField.bool("understudy.flags.wish", "Asks for consent to its term", 8, nil, 0x01),
  unwilling = ProtoField.bool("understudy.flags.unwilling", "Must not become active", 8, nil, 0x02),
  urgent = ProtoField.bool("understudy.flags.urgent", "Waits for an answer", 8, nil, 0x04),
  take = ProtoField.bool("understudy.flags.take", "Asks the active node to hand over", 8, nil, 0x08),
  slot = ProtoField.uint8("understudy.slot", "Path"),
  mac = ProtoField.ether("understudy.mac", "MAC of the sender's card"),
  session = ProtoField.uint64("understudy.session", "Session", base.HEX),
  sequence = ProtoField.uint64("understudy.sequence", "Sequence"),
  challenge = ProtoField.uint32("understudy.challenge", "Challenge"),
  echo_session = ProtoField.uint64("understudy.echo_session", "Peer's session", base.HEX),
  echo_challenge = ProtoField.uint32("understudy.echo_challenge", "Peer's challenge"),
  ack = ProtoField.uint64("understudy.ack", "Heard up to"),
  ack_hold = ProtoField.uint32("understudy.ack_hold_us", "Held for (microseconds)"),
  term = ProtoField.uint64("understudy.term", "Term"),
  links = ProtoField.uint32("understudy.links", "Data links up", base.HEX),
  settings = ProtoField.uint64("understudy.settings_revision", "Settings revision"),
  software = ProtoField.string("understudy.software", "Software version"),
  build = ProtoField.uint32("understudy.build", "Build"),
  tag = ProtoField.bytes("understudy.tag", "Authentication tag"),
  piece = ProtoField.uint8("understudy.pairing.piece", "Piece"),
  pieces = ProtoField.uint8("understudy.pairing.pieces", "Pieces"),
  length = ProtoField.uint16("understudy.pairing.length", "Length"),
  message = ProtoField.uint32("understudy.pairing.message", "Message", base.HEX),
  body = ProtoField.bytes("understudy.pairing.body", "Body"),
  kind = ProtoField.string("understudy.pairing.kind", "Kind"),
  whole_in = ProtoField.framenum("understudy.pairing.whole_in", "Whole message in frame"),
}
understudy.fields = f

local e = {
  truncated = ProtoExpert.new("understudy.truncated", "The frame is too short", expert.group.MALFORMED, expert.severity.ERROR),
  malformed = ProtoExpert.new("understudy.malformed", "Malformed", expert.group.MALFORMED, expert.severity.ERROR),
  version = ProtoExpert.new("understudy.wrong_version", "Wrong version", expert.group.PROTOCOL, expert.severity.ERROR),
  moved = ProtoExpert.new("understudy.moved", "Sent on by another card", expert.group.SECURITY, expert.severity.WARN),
  repeated = ProtoExpert.new("understudy.repeated", "Not newer", expert.group.SEQUENCE, expert.severity.WARN),
  refused = ProtoExpert.new("understudy.refused", "Refused by the capturing node", expert.group.SECURITY, expert.severity.WARN),
  unknown = ProtoExpert.new("understudy.unknown", "No such pairing message", expert.group.MALFORMED, expert.severity.WARN),
  cut = ProtoExpert.new("understudy.cut", "Not captured as a whole", expert.group.UNDECODED, expert.severity.NOTE),
}
understudy.experts = e

local frame_comment = Field.new("frame.comment")
local frame_interface = Field.new("frame.interface_id")
local json = Dissector.get("json")

-- Of the whole capture, filled at the first pass through it.
local newest = {}
local repeats = {}
local assemblies = {}
local wholes = {}

function understudy.init()
  newest, repeats, assemblies, wholes = {}, {}, {}, {}
end

local KINDS = {}
for kind in ("offer answer refuse seen guess open confirm confirmed test report probe grant ready commit done"):gmatch("%S+") do
  KINDS[kind] = true
end

local function malformed(item, text)
  item:add_proto_expert_info(e.malformed, text)
end

-- What the node that captured it wrote beside the frame.
local function add_verdict(tree, pinfo)
  for _, comment in ipairs({ frame_comment() }) do
    local text = tostring(comment)
    local item = tree:add(f.verdict, text)
    item:set_generated()
    local reason = text:match("^refused %((.*)$")
    if reason then
      item:add_proto_expert_info(e.refused, "Refused by the capturing node: (" .. reason)
      pinfo.cols.info:append(" [" .. text:match("^refused %([%w-]+%)") .. "]")
    end
  end
end

-- Each card of this node hears a frame for itself: the order counts in each direction on each path alone.
local function note_sequence(pinfo, key, sequence)
  if pinfo.visited then return end
  local before = newest[key]
  if before and sequence <= before then
    repeats[pinfo.number] = tostring(before)
  else
    newest[key] = sequence
  end
end

local function add_flags(tree, range)
  local flags = tree:add(f.flags, range)
  local set = {}
  for _, flag in ipairs({ { "wish", 1 }, { "unwilling", 2 }, { "urgent", 4 }, { "take", 8 } }) do
    flags:add(f[flag[1]], range)
    if bit.band(range:uint(), flag[2]) ~= 0 then set[#set + 1] = flag[1] end
  end
  if #set > 0 then flags:append_text(" (" .. table.concat(set, ", ") .. ")") end
  if range:uint() > 15 then malformed(flags, "Flags that no node sends") end
  return set
end

local function add_links(tree, range)
  local up = {}
  for slot = 1, SLOT_MAX do
    if bit.band(bit.rshift(range:uint(), slot), 1) == 1 then up[#up + 1] = tostring(slot) end
  end
  tree:add(f.links, range):append_text(#up == 0 and " (none)" or " (path " .. table.concat(up, ", ") .. ")")
end

local function dissect_heartbeat(tvb, pinfo, tree)
  local node = tree:add(f.node, tvb(3, 1))
  if tvb(3, 1):uint() ~= 1 and tvb(3, 1):uint() ~= 2 then malformed(node, "A node is 1 or 2") end
  tree:add(f.cluster, tvb(4, 4))
  local role = tvb(8, 1):uint()
  local role_item = tree:add(f.role, tvb(8, 1))
  if not ROLES[role] then malformed(role_item, "No such role") end
  local claims = tvb(0, 1):uint()
  if claims ~= (role == ROLE_ACTIVE and 1 or 0) then
    malformed(role_item, "The first byte says otherwise: it is 1 in an active node's heartbeat and 0 in any other")
  end
  local set = add_flags(tree, tvb(9, 1))
  local slot = tvb(10, 1):uint()
  local slot_item = tree:add(f.slot, tvb(10, 1)):append_text(slot == 0 and " (cluster network)" or " (data network)")
  if slot > SLOT_MAX then malformed(slot_item, "Paths go from 0 to 31") end
  local mac = tree:add(f.mac, tvb(12, 6))
  if tostring(tvb(12, 6):ether()) ~= tostring(pinfo.dl_src) then
    mac:add_proto_expert_info(e.moved, "Sent by another card than its sender's: refused as forged")
  end
  tree:add(f.session, tvb(20, 8))
  local sequence_item = tree:add(f.sequence, tvb(28, 8))
  local way = frame_interface()
  local key = table.concat({ tostring(way or 0), tostring(pinfo.dl_src), tostring(tvb(20, 8)), tostring(slot) }, " ")
  note_sequence(pinfo, key, tvb(28, 8):uint64())
  local repeated = repeats[pinfo.number]
  if repeated then
    local text = "Not newer than " .. repeated .. ", which this path has brought already: refused as replayed"
    sequence_item:add_proto_expert_info(e.repeated, text)
  end
  tree:add(f.challenge, tvb(36, 4))
  local echo = tree:add(f.echo_session, tvb(40, 8))
  if tvb(40, 8):uint64() == UInt64(0) then echo:append_text(" (none heard yet)") end
  tree:add(f.echo_challenge, tvb(48, 4))
  tree:add(f.ack, tvb(52, 8))
  tree:add(f.ack_hold, tvb(60, 4))
  local term = tvb(64, 8):uint64()
  local owner = term == UInt64(0) and "nobody's" or (term:lower() % 2 == 1 and "of node 1" or "of node 2")
  tree:add(f.term, tvb(64, 8)):append_text(" (" .. owner .. ")")
  add_links(tree, tvb(72, 4))
  tree:add(f.settings, tvb(76, 8))
  local software = string.format("%d.%d.%d", tvb(84, 2):uint(), tvb(86, 2):uint(), tvb(88, 2):uint())
  tree:add(f.software, tvb(84, 6), software)
  tree:add(f.build, tvb(90, 4))
  tree:add(f.tag, tvb(94, 16))
  local words = #set > 0 and " (" .. table.concat(set, ", ") .. ")" or ""
  local text = string.format(
    "Heartbeat of node %d, %s, term %s, path %d, sequence %s, heard %s%s",
    tvb(3, 1):uint(), ROLES[role] or "role " .. role, tostring(term), slot,
    tostring(tvb(28, 8):uint64()), tostring(tvb(52, 8):uint64()), words
  )
  pinfo.cols.info = text
  tree:append_text(", " .. text)
end

-- The message that frame brings to its end, put together from its pieces; nil where pieces are missing.
local function assemble(pinfo, key, index, count, bytes)
  if not pinfo.visited then
    local assembly = assemblies[key]
    if not assembly or assembly.count ~= count then
      assembly = { count = count, have = 0, pieces = {}, frames = {} }
      assemblies[key] = assembly
    end
    if not assembly.pieces[index] then assembly.have = assembly.have + 1 end
    assembly.pieces[index] = bytes
    assembly.frames[#assembly.frames + 1] = pinfo.number
    if assembly.have == count then
      local body = {}
      for piece = 0, count - 1 do body[#body + 1] = assembly.pieces[piece] end
      local whole = { body = table.concat(body), at = pinfo.number }
      for _, number in ipairs(assembly.frames) do wholes[number] = whole end
      assemblies[key] = nil
    end
  end
  return wholes[pinfo.number]
end

local function add_kind(tree, pinfo, body)
  local kind = body:match('^{"kind":"([%w-]+)"') or body:match('[{,]"kind":"([%w-]+)"')
  local item = tree:add(f.kind, kind or "none")
  item:set_generated()
  if not kind or not KINDS[kind] then item:add_proto_expert_info(e.unknown, "This is no pairing message: ignored") end
  return kind or "unknown"
end

local function dissect_piece(tvb, pinfo, tree)
  local index, count, length = tvb(4, 1):uint(), tvb(5, 1):uint(), tvb(6, 2):uint()
  local piece = tree:add(f.piece, tvb(4, 1))
  local pieces = tree:add(f.pieces, tvb(5, 1))
  local size = tree:add(f.length, tvb(6, 2))
  tree:add(f.message, tvb(8, 4))
  local sound = true
  local function bad(item, text)
    malformed(item, text)
    sound = false
  end
  if tvb(0, 1):uint() ~= 0 then bad(tree, "Only an active node's heartbeat begins with 1") end
  if count == 0 or count > PIECES_MAX then bad(pieces, "A message has 1 to 128 pieces") end
  if index >= count then bad(piece, "There is no such piece of this message") end
  if length > PIECE_BYTES_MAX then bad(size, "A piece has 1,400 bytes at most") end
  local text = string.format("Pairing message %08x, piece %d of %d", tvb(8, 4):uint(), index + 1, count)
  if PIECE_HEADER_BYTES + length > tvb:reported_len() then
    size:add_proto_expert_info(e.truncated, "The frame is shorter than its piece")
    sound = false
  end
  local kept = math.min(length, tvb:len() - PIECE_HEADER_BYTES)
  local body = kept > 0 and tvb(PIECE_HEADER_BYTES, kept) or nil
  if body then tree:add(f.body, body) end
  if not sound then
    pinfo.cols.info = text .. " [malformed]"
    return
  end
  if kept < length then
    tree:add_proto_expert_info(e.cut, "The frame was not captured as a whole: no message without it")
    if index == 0 and body then text = text .. ", " .. add_kind(tree, pinfo, body:string()) end
    pinfo.cols.info = text
    return
  end
  local way = frame_interface()
  local key = tostring(way or 0) .. " " .. tostring(pinfo.dl_src) .. " " .. tostring(tvb(8, 4))
  local whole = assemble(pinfo, key, index, count, body and body:raw() or "")
  if whole and whole.at == pinfo.number then
    text = text .. ", " .. add_kind(tree, pinfo, whole.body)
    local message = count == 1 and body and body:tvb() or ByteArray.new(whole.body, true):tvb("Pairing message")
    if json and message:len() > 0 then json:call(message, pinfo, tree) end
    pinfo.cols.protocol = "UNDERSTUDY"
  elseif whole then
    tree:add(f.whole_in, whole.at):set_generated()
  end
  pinfo.cols.info = text
end

function understudy.dissector(tvb, pinfo, root)
  pinfo.cols.protocol = "UNDERSTUDY"
  pinfo.cols.info = "Understudy"
  local tree = root:add(understudy, tvb())
  if tvb:len() < 3 then
    tree:add_proto_expert_info(e.truncated, "Too short for any frame of Understudy's")
    pinfo.cols.info = "Understudy [truncated]"
    return
  end
  local claim = tree:add(f.claim, tvb(0, 1))
  if tvb(0, 1):uint() > 1 then malformed(claim, "The first byte is 0 or 1") end
  local version = tree:add(f.version, tvb(1, 1))
  local frame_type = tvb(2, 1):uint()
  local type_item = tree:add(f.type, tvb(2, 1))
  local name = FRAME_TYPES[frame_type] or "frame type " .. frame_type
  if tvb(1, 1):uint() ~= WIRE_VERSION then
    version:add_proto_expert_info(e.version, "Another version of the wire format than " .. WIRE_VERSION .. ": refused")
    pinfo.cols.info = "Understudy, " .. name .. " of wire version " .. tvb(1, 1):uint()
  elseif frame_type == 1 or frame_type == 2 then
    local least = frame_type == 1 and HEARTBEAT_BYTES or PIECE_HEADER_BYTES
    if tvb:reported_len() < least then
      tree:add_proto_expert_info(e.truncated, "Truncated: a " .. name .. " frame has " .. least .. " bytes or more")
      pinfo.cols.info = "Understudy, " .. name .. " [truncated]"
    elseif tvb:len() < least then
      tree:add_proto_expert_info(e.cut, "The frame was not captured as a whole")
      pinfo.cols.info = "Understudy, " .. name .. " [not captured as a whole]"
    elseif frame_type == 1 then
      dissect_heartbeat(tvb, pinfo, tree)
    else
      dissect_piece(tvb, pinfo, tree)
    end
  else
    malformed(type_item, "No frame of this type is sent")
    pinfo.cols.info = "Understudy, " .. name
  end
  add_verdict(tree, pinfo)
end

DissectorTable.get("ethertype"):add(0x88b5, understudy)
