-- FreeSWITCH asks Tollgate before it connects a call. From the dialplan: <action application="lua" data="tollgate.lua"/>.
-- Allowed, it goes on to the next action, to be cut when its time is over; refused, it ends here with the SIP code.
-- Needs mod_lua and mod_curl. Set the first three values.

local TOLLGATE = "http://127.0.0.1:8000/api/v1/calls"
local KEY = "sw_put-the-key-here"
local SWITCH = "freeswitch"
-- A question that takes longer is a refusal.
local TIMEOUT_S = 2

local WORDS = {
    ["402"] = "Payment Required", ["403"] = "Forbidden", ["404"] = "Not Found",
    ["486"] = "Busy Here", ["503"] = "Service Unavailable",
}
local api = freeswitch.API()

local function encoded(value)
    return (tostring(value or ""):gsub("[^%w%-%.%_]", function(c) return string.format("%%%02X", c:byte()) end))
end

-- mod_curl decodes what it is given before it posts it, so each value is encoded twice; nothing that a phone says
-- (its name, the number it dials) can then add a field of its own.
local function form(said)
    local parts = {}
    for _, pair in ipairs(said) do
        parts[#parts + 1] = pair[1] .. "=" .. encoded(encoded(pair[2]))
    end
    return table.concat(parts, "&")
end

local function post(what, said)
    said[#said + 1] = { "switch", SWITCH }
    said[#said + 1] = { "key", KEY }
    local how = " connect-timeout 1 timeout " .. TIMEOUT_S .. " content-type application/x-www-form-urlencoded post "
    return api:executeString("curl " .. TOLLGATE .. "/" .. what .. how .. form(said)) or ""
end

-- The answer's plain fields; enough of JSON for those.
local function number_in(answer, name)
    return answer:match('"' .. name .. '"%s*:%s*(%d+)')
end

-- `luarun tollgate.lua start UUID`: the call was answered. No session then: nobody waits for it.
if argv and argv[1] == "start" then
    post("start", { { "call_id", argv[2] } })
    return
end

local function value(name)
    return session:getVariable(name) or ""
end

local account = value("accountcode")
if account == "" then account = value("user_name") end
local answer = post("authorize", {
    { "call_id", value("uuid") },
    { "to", value("destination_number") },
    { "account", account },
    { "caller", value("caller_id_number") },
    { "src_ip", value("sip_network_ip") },
    { "src_port", value("sip_network_port") },
    { "user_agent", value("sip_user_agent") },
})

local allowed = answer:match('"allow"%s*:%s*true') ~= nil
local seconds, code = number_in(answer, "max_seconds"), number_in(answer, "sip_code")
if allowed and seconds and tonumber(seconds) > 0 then
    session:setVariable("tollgate_switch", SWITCH)
    session:setVariable("execute_on_answer", "sched_hangup +" .. seconds .. " allotted_timeout")
    session:setVariable("api_on_answer", "luarun tollgate.lua start " .. value("uuid"))
    session:setVariable("call_timeout", "170")
    session:setVariable("hangup_after_bridge", "true")
else
    if allowed or not code or not WORDS[code] then code = "503" end
    local reason = answer:match('"reason"%s*:%s*"([^"]*)"') or "no answer"
    freeswitch.consoleLog("warning", "Tollgate: " .. code .. " " .. reason .. "\n")
    session:execute("respond", code .. " " .. WORDS[code])
    session:hangup("CALL_REJECTED")
end
