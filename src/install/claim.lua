hs = {status = "Progressing", message = "has no status yet"}
local annotations = obj.metadata.annotations or {}
if obj.metadata.deletionTimestamp ~= nil then
  hs.message = "is being deleted: it goes with the last pod that uses it"
elseif obj.status == nil or obj.status.phase == nil then
  return hs
elseif obj.status.phase == "Bound" then
  hs = {status = "Healthy", message = ""}
elseif obj.status.phase == "Lost" then
  hs = {status = "Degraded", message = "its volume is gone"}
elseif annotations["volume.kubernetes.io/selected-node"] ~= nil
  or annotations["volume.kubernetes.io/storage-provisioner"] ~= nil then
  hs.message = "its volume is being made"
elseif obj.spec.volumeName ~= nil and obj.spec.volumeName ~= "" then
  hs.message = "waits for the volume " .. obj.spec.volumeName
else
  -- No pod uses it yet. One that does and can't start shows in the health of its own workload.
  hs = {status = "Healthy", message = "waits for its first pod"}
end
return hs
