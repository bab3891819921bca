# Loads the modules that offer the devices.
while read -r module; do
  insmod "/modules/$module.ko"
done </modules/order
