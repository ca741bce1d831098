print("estars")
