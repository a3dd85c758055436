-- FreeSWITCH as far as tollgate.lua sees it: a session with variables, and the API command curl, done by Python.
-- Prints what the script did, one line each.
local python, curl, script = arg[1], arg[2], arg[3]
local variables = {}
for index = 4, #arg do
    local name, value = arg[index]:match("^([^=]*)=(.*)$")
    variables[name] = value
end
argv = variables.argv_1 and { variables.argv_1, variables.argv_2 } or nil

local function quoted(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

freeswitch = {
    API = function()
        return {
            executeString = function(_, command)
                local pipe = io.popen(python .. " " .. curl .. " " .. quoted(command))
                local said = pipe:read("a")
                pipe:close()
                return said
            end,
        }
    end,
    consoleLog = function(level, text) io.write("log ", level, " ", text) end,
}
if not argv then
    session = {
        getVariable = function(_, name) return variables[name] end,
        setVariable = function(_, name, value) print("set " .. name .. "=" .. value) end,
        execute = function(_, application, data) print("execute " .. application .. " " .. data) end,
        hangup = function(_, cause) print("hangup " .. cause) end,
    }
end
dofile(script)
