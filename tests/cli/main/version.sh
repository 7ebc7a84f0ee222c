mtracer --version | grep -Ec "^mtracer [0-9]+\.[0-9]+"
